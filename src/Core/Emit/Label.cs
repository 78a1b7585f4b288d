namespace FastXen.Core.Emit;

/// <summary>A place in the code of an <see cref="Assembler"/>, known before or after the jumps to it are written.</summary>
public readonly struct Label
{
    internal readonly int Id;

    internal Label(int id) => Id = id;
}
