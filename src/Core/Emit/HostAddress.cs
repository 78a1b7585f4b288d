namespace FastXen.Core.Emit;

/// <summary>A memory operand: base + index * scale + displacement.</summary>
public readonly struct HostAddress
{
    internal readonly HostRegister Base;
    internal readonly HostRegister Index;
    internal readonly byte ScaleLog2;
    internal readonly bool HasIndex;
    internal readonly int Displacement;

    /// <summary>Memory at a register plus a constant.</summary>
    public HostAddress(HostRegister baseRegister, int displacement = 0)
    {
        Base = baseRegister;
        Displacement = displacement;
    }

    private HostAddress(in HostAddress address, int displacement)
    {
        this = address;
        Displacement = displacement;
    }

    /// <summary>The address some bytes further on.</summary>
    public HostAddress Plus(int bytes) => new(this, Displacement + bytes);

    /// <summary>Memory at a register plus a scaled index (any register but rsp) plus a constant.</summary>
    /// <param name="baseRegister">Any register.</param>
    /// <param name="index">Any register but rsp, which the hardware cannot use here.</param>
    /// <param name="scale">1, 2, 4 or 8.</param>
    /// <param name="displacement">The constant.</param>
    public HostAddress(HostRegister baseRegister, HostRegister index, int scale, int displacement = 0)
    {
        ArgumentOutOfRangeException.ThrowIfEqual((int)index, (int)HostRegister.Rsp, nameof(index));
        Base = baseRegister;
        Index = index;
        HasIndex = true;
        ScaleLog2 = scale switch
        {
            1 => 0,
            2 => 1,
            4 => 2,
            8 => 3,
            _ => throw new ArgumentOutOfRangeException(nameof(scale)),
        };
        Displacement = displacement;
    }
}
