using System.Runtime.CompilerServices;

namespace FastXen.Core.Emit;

/// <summary>
/// Writes x86-64 machine code. Sizes are in bytes (1, 2, 4, 8). Code is written at one address and runs at another
/// (<see cref="CodeMemory"/>); absolute targets are addresses where code runs.
/// </summary>
public sealed unsafe partial class Assembler
{
    /// <summary>No instruction is longer, so each one asks once for room.</summary>
    private const int LongestInstruction = 15;

    // Where instructions go once the capacity is exhausted: their bytes are of no use to anybody.
    private readonly byte[] _waste = GC.AllocateArray<byte>(LongestInstruction + 1, pinned: true);

    // _at is the place of the next byte: inside [_start, _start + capacity), or the waste after an overflow. _last is the last place
    // where an instruction may start.
    private byte* _at, _start, _last;
    private long _toExecutable;
    private int _capacity;

    /// <summary>Starts to write new code; all labels of earlier code are void.</summary>
    /// <param name="writable">Where bytes are written.</param>
    /// <param name="executable">Where these bytes run.</param>
    /// <param name="capacity">How many bytes there may be.</param>
    public void Begin(byte* writable, byte* executable, int capacity)
    {
        _start = _at = writable;
        _last = writable + capacity - LongestInstruction;
        _toExecutable = executable - writable;
        _capacity = capacity;
        Overflow = false;
        _labelCount = 0;
    }

    /// <summary>The address at which the next instruction will run.</summary>
    public byte* Here => _at + _toExecutable;

    /// <summary>Where the first byte was written.</summary>
    public byte* Writable => _start;

    /// <summary>Where the byte at an offset was written; after an overflow, room for four bytes that are of no use.</summary>
    public byte* WritableAt(int offset) => Overflow ? (byte*)Unsafe.AsPointer(ref _waste[0]) : _start + offset;

    /// <summary>Bytes written so far.</summary>
    public int Size => Overflow ? _capacity : (int)(_at - _start);

    /// <summary>True when the code did not fit. Nothing is written beyond the capacity; the code is to be discarded.</summary>
    public bool Overflow { get; private set; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Room()
    {
        if (_at > _last)
            Overflowed();
    }

    private void Overflowed()
    {
        Overflow = true;
        _at = _last = (byte*)Unsafe.AsPointer(ref _waste[0]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Byte(int value) => *_at++ = (byte)value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Word(int value)
    {
        Unsafe.WriteUnaligned(_at, value);
        _at += 4;
    }

    /// <summary>An immediate operand of an instruction of the given size: one, two or four bytes.</summary>
    private void Immediate(int value, int size)
    {
        if (size == 1)
        {
            Byte(value);
        }
        else if (size == 2)
        {
            Byte(value);
            Byte(value >> 8);
        }
        else
        {
            Word(value);
        }
    }
}
