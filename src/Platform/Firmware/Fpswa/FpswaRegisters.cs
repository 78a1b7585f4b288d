using System.Buffers.Binary;
using FastXen.Core.Float;
using FastXen.Core.State;

namespace FastXen.Platform.Firmware.Fpswa;

/// <summary>
/// The floating-point registers of the interrupted program: those that <c>fp_state_t</c> names are in memory in spill form, the
/// others are still in the processor. Register numbers are the program's, which rotate by IFS.rrb.fr.
/// </summary>
internal readonly unsafe struct FpswaRegisters(ServiceCall call, ulong ifs)
{
    private const int Rotating = 96;
    private const int SpillSize = 16;

    /// <summary>Reads a register.</summary>
    public bool TryRead(int number, out FloatRegister value)
    {
        if (!TryLocate(number, out ulong address))
        {
            value = default;
            return false;
        }
        if (address == 0)
        {
            value = *Registers.Fr(call.Vcpu.State, InProcessor(number));
            return true;
        }
        Span<byte> bytes = stackalloc byte[SpillSize];
        bool done = call.Vcpu.TryRead(address, bytes);
        value = new(BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]) & 0x3ffff, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        return done;
    }

    /// <summary>Writes a register.</summary>
    public bool TryWrite(int number, FloatRegister value)
    {
        if (!TryLocate(number, out ulong address))
            return false;
        if (address == 0)
        {
            Registers.SetFr(call.Vcpu.State, InProcessor(number), value);
            return true;
        }
        return call.TryWrite64(address, value.Significand) && call.TryWrite64(unchecked(address + 8), value.SignExponent);
    }

    // fp_state_t: two masks of registers in memory, then pointers to f2-f5, f6-f15, f16-f31 and f32-f127. 0: in the processor.
    private bool TryLocate(int number, out ulong address)
    {
        address = 0;
        ulong state = call.In(7);
        if (number < 2)
            return true;
        int physical = number < 32 ? number : 32 + Physical(number);
        if (!call.TryRead64(unchecked(state + (physical < 64 ? 0ul : 8)), out ulong mask))
            return false;
        if ((mask >> (physical & 63) & 1) == 0)
            return true;
        (ulong pointer, int first) = physical switch { < 6 => (16ul, 2), < 16 => (24ul, 6), < 32 => (32ul, 16), _ => (40ul, 32) };
        if (!call.TryRead64(unchecked(state + pointer), out ulong bank) || bank == 0)
            return false;
        address = unchecked(bank + (ulong)(SpillSize * (physical - first)));
        return true;
    }

    private int Physical(int number) => (number - 32 + (int)(ifs >> 25 & 0x7f)) % Rotating;

    // The program's register under the name that it has in the frame of the caller, which may rotate otherwise.
    private uint InProcessor(int number) => number < 32
        ? (uint)number
        : 32 + (uint)((Physical(number) + Rotating - (int)(call.Vcpu.State->Cfm >> 25 & 0x7f) % Rotating) % Rotating);
}
