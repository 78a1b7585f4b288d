using System.Runtime.CompilerServices;

namespace FastXen.Core.Emit;

/// <summary>
/// Labels. While a label is not bound, the displacements that refer to it are a list: each holds the offset of the previous one, so
/// that fixups need no memory of their own.
/// </summary>
public sealed unsafe partial class Assembler
{
    /// <summary>End of a list; no displacement is at offset 0.</summary>
    private const int EndOfList = 0;

    // By label: its offset, or ~ of the offset of the last displacement that refers to it.
    private int[] _labels = new int[64];
    private int _labelCount;

    /// <summary>A new label, not bound yet.</summary>
    public Label NewLabel()
    {
        if (_labelCount == _labels.Length)
            Array.Resize(ref _labels, 2 * _labels.Length);
        _labels[_labelCount] = ~EndOfList;
        return new Label(_labelCount++);
    }

    /// <summary>Puts a label here; jumps to it that are written already get their displacements.</summary>
    public void Bind(Label label)
    {
        int here = Size;
        int state = _labels[label.Id];
        if (state >= 0)
            throw new InvalidOperationException("the label is bound already");

        _labels[label.Id] = here;
        // After an overflow the code is void, and the list may lead into what was never written.
        if (Overflow)
            return;

        for (int at = ~state; at != EndOfList;)
        {
            int previous = Unsafe.ReadUnaligned<int>(_start + at);
            Unsafe.WriteUnaligned(_start + at, here - (at + 4));
            at = previous;
        }
    }

    /// <summary>Where a bound label is, in bytes from the beginning of the code.</summary>
    public int OffsetOf(Label label)
    {
        int state = _labels[label.Id];
        return state >= 0 ? state : throw new InvalidOperationException("the label is not bound");
    }

    /// <summary>Where a bound label will run.</summary>
    public byte* AddressOf(Label label) => Writable + _toExecutable + OffsetOf(label);

    /// <summary>The four bytes of a displacement that leads to a label.</summary>
    private void Displacement(Label label)
    {
        int state = _labels[label.Id];
        int at = Size;
        if (state >= 0)
        {
            Word(state - (at + 4));
            return;
        }

        if (!Overflow)
            _labels[label.Id] = ~at;
        Word(~state);
    }

    /// <summary>The four bytes of a displacement that leads to an absolute address; after an overflow there is no distance.</summary>
    private void Displacement(byte* target) => Word(Overflow ? 0 : checked((int)(target - (Here + 4))));
}
