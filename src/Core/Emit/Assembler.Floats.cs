namespace FastXen.Core.Emit;

/// <summary>Scalar floating point (AVX, FMA). Sizes: 4 (single) or 8 (double).</summary>
public sealed unsafe partial class Assembler
{
    private static int ScalarPrefix(int size) => size == 8 ? PrefixF2 : PrefixF3;

    /// <summary>to = a op b; the square root is that of b. The rest of the register is that of a.</summary>
    public void Float(FloatOperation op, HostVector to, HostVector a, HostVector b, int size) =>
        VexRegisters(Map0F, ScalarPrefix(size), FloatOpcode(op), (int)to, (int)a, (int)b);

    private static int FloatOpcode(FloatOperation op) => op switch
    {
        FloatOperation.Add => 0x58,
        FloatOperation.Multiply => 0x59,
        FloatOperation.Subtract => 0x5c,
        FloatOperation.Minimum => 0x5d,
        FloatOperation.Divide => 0x5e,
        FloatOperation.Maximum => 0x5f,
        _ => 0x51,
    };

    /// <summary>
    /// A fused multiply-add into a; <paramref name="form"/> tells which operands (1: a, 2: b, 3: c) are multiplied, and which is
    /// added: 132 is a * c + b, 213 is b * a + c, 231 is b * c + a.
    /// </summary>
    public void Fused(FusedOperation op, int form, HostVector a, HostVector b, HostVector c, int size)
    {
        int opcode = form switch
        {
            132 => 0x99,
            213 => 0xa9,
            231 => 0xb9,
            _ => throw new ArgumentOutOfRangeException(nameof(form)),
        };
        VexRegisters(Map0F38, Prefix66, opcode + (2 * (int)op), (int)a, (int)b, (int)c, wide: size >> 3);
    }

    /// <summary>vucomiss, vucomisd.</summary>
    public void CompareFloat(HostVector a, HostVector b, int size) =>
        VexRegisters(Map0F, size == 8 ? Prefix66 : NoPrefix, 0x2e, (int)a, NoSource, (int)b);

    /// <summary>vcvtss2sd.</summary>
    public void ConvertToDouble(HostVector to, HostVector from) => VexRegisters(Map0F, PrefixF3, 0x5a, (int)to, (int)from, (int)from);

    /// <summary>vcvtsd2ss.</summary>
    public void ConvertToSingle(HostVector to, HostVector from) => VexRegisters(Map0F, PrefixF2, 0x5a, (int)to, (int)from, (int)from);

    /// <summary>vcvtsi2ss, vcvtsi2sd of a signed 64-bit integer. Waits for the former value of the target; VectorZero cuts that.</summary>
    public void ConvertIntegerToFloat(HostVector to, HostRegister from, int size) =>
        VexRegisters(Map0F, ScalarPrefix(size), 0x2a, (int)to, (int)to, (int)from, wide: 1);

    /// <summary>vcvt(t)ss2si, vcvt(t)sd2si to a signed 64-bit integer.</summary>
    public void ConvertFloatToInteger(HostRegister to, HostVector from, int size, bool truncate) =>
        VexRegisters(Map0F, ScalarPrefix(size), truncate ? 0x2c : 0x2d, (int)to, NoSource, (int)from, wide: 1);

    /// <summary>vldmxcsr.</summary>
    public void LoadControl(in HostAddress from) => VexMemory(Map0F, NoPrefix, 0xae, 2, NoSource, from);

    /// <summary>vstmxcsr.</summary>
    public void StoreControl(in HostAddress to) => VexMemory(Map0F, NoPrefix, 0xae, 3, NoSource, to);
}
