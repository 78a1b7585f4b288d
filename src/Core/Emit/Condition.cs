namespace FastXen.Core.Emit;

/// <summary>Conditions of jcc, setcc and cmovcc, by their hardware numbers; bit 0 negates.</summary>
public enum Condition : byte
{
    O, No, B, Ae, E, Ne, Be, A, S, Ns, P, Np, L, Ge, Le, G,
}
