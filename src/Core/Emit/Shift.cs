namespace FastXen.Core.Emit;

/// <summary>Shifts and rotates, by their hardware numbers.</summary>
public enum Shift : byte
{
    Rol = 0, Ror = 1, Shl = 4, Shr = 5, Sar = 7,
}
