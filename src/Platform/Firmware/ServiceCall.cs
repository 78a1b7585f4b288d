using System.Buffers.Binary;
using FastXen.Core;
using FastXen.Core.State;

namespace FastXen.Platform.Firmware;

/// <summary>A call of a firmware service: the arguments and memory of the vCPU that made it, and the registers for its results.</summary>
internal readonly unsafe struct ServiceCall(Vcpu vcpu)
{
    /// <summary>The caller.</summary>
    public Vcpu Vcpu => vcpu;

    /// <summary>Stacked argument in0, in1 ... in7.</summary>
    public ulong In(int index) => vcpu.Argument(index);

    /// <summary>Static register.</summary>
    public ulong Static(uint register) => vcpu.State->Gr[register];

    /// <summary>Puts a status and up to three results into r8-r11, none of them NaT.</summary>
    public void Result(long status, ulong value0 = 0, ulong value1 = 0, ulong value2 = 0)
    {
        VcpuState* s = vcpu.State;
        Registers.SetGr(s, 8, (ulong)status);
        Registers.SetGr(s, 9, value0);
        Registers.SetGr(s, 10, value1);
        Registers.SetGr(s, 11, value2);
    }

    /// <summary>Reads 8 bytes where the caller's pointer says.</summary>
    public bool TryRead64(ulong address, out ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        bool done = vcpu.TryRead(address, bytes);
        value = done ? BinaryPrimitives.ReadUInt64LittleEndian(bytes) : 0;
        return done;
    }

    /// <summary>Writes 8 bytes.</summary>
    public bool TryWrite64(ulong address, ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        return vcpu.TryWrite(address, bytes);
    }

    /// <summary>Writes 4 bytes.</summary>
    public bool TryWrite32(ulong address, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return vcpu.TryWrite(address, bytes);
    }
}
