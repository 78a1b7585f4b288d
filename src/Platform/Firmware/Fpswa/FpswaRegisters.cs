using System.Buffers.Binary;
using FastXen.Core.Float;
using FastXen.Core.State;

namespace FastXen.Platform.Firmware.Fpswa;

/// <summary>
/// The floating-point registers of the interrupted program: those that <c>fp_state_t</c> names are in memory in spill form, the
/// others are still in the processor. Register numbers are the program's, which rotate by IFS.rrb.fr.
/// </summary>
internal readonly unsafe struct FpswaRegisters(VcpuState* state, ulong ifs, FpswaBanks banks)
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
            value = *Registers.Fr(state, InProcessor(number));
            return true;
        }
        Span<byte> bytes = stackalloc byte[SpillSize];
        bool done = banks.Read(address, bytes);
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
            Registers.SetFr(state, InProcessor(number), value);
            return true;
        }
        Span<byte> bytes = stackalloc byte[SpillSize];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value.Significand);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], value.SignExponent);
        return banks.Write(address, bytes);
    }

    // 0: in the processor.
    private bool TryLocate(int number, out ulong address)
    {
        address = 0;
        if (number < 2)
            return true;
        int physical = number < 32 ? number : 32 + Physical(number);
        if (((physical < 64 ? banks.Low : banks.High) >> (physical & 63) & 1) == 0)
            return true;
        (ulong bank, int first) = physical switch { < 6 => (banks.F2, 2), < 16 => (banks.F6, 6), < 32 => (banks.F16, 16), _ => (banks.F32, 32) };
        address = unchecked(bank + (ulong)(SpillSize * (physical - first)));
        return bank != 0;
    }

    private int Physical(int number) => (number - 32 + (int)(ifs >> 25 & 0x7f)) % Rotating;

    // The program's register under the name that it has in the frame of the caller, which may rotate otherwise.
    private uint InProcessor(int number) => number < 32
        ? (uint)number
        : 32 + (uint)((Physical(number) + Rotating - (int)(state->Cfm >> 25 & 0x7f) % Rotating) % Rotating);
}
