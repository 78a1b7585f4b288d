using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>
/// A decoded 4 KiB page of guest code: 256 bundles of three slots, and one slot more that leads to the next page. Slots are
/// decoded when they are first reached: until then their handler is <see cref="Undecoded"/>.
/// </summary>
public static unsafe class CodePage
{
    /// <summary>Bytes of guest code in a page.</summary>
    public const int Size = 4096;

    /// <summary>Slots of a decoded page, the last one included.</summary>
    public const int Slots = Size / 16 * 3 + 1;

    /// <summary>Value of <see cref="VcpuState.FetchVa"/> while no code page is valid (no bundle has such an address).</summary>
    public const ulong NoAddress = 1;

    // Hints that no instruction has.
    private const byte NotDecoded = 0xFF;

    /// <summary>Makes all slots of a page undecoded.</summary>
    public static void Clear(Instruction* slots)
    {
        Forget(slots, 0, Size / 16);
        Instruction* end = slots + (Slots - 1);
        *end = default;
        end->Handler = &PageEnd;
        end->Placement = 0;
    }

    /// <summary>Makes <paramref name="count"/> bundles from <paramref name="first"/> undecoded.</summary>
    public static void Forget(Instruction* slots, int first, int count)
    {
        for (Instruction* i = slots + first * 3; count > 0; count--, i += 3)
        {
            for (int slot = 0; slot < 3; slot++)
            {
                i[slot] = default;
                i[slot].Handler = &Undecoded;
                i[slot].Placement = (byte)slot;
                i[slot].Hints = NotDecoded;
            }
        }
    }

    // Decoding is no event of the guest's: the run goes on with the instruction, so that when slots are decoded has no effect on where
    // the run loop looks at timers and interrupts.
    private static int Undecoded(VcpuState* s, Instruction* i)
    {
        int bundle = (int)(i - s->CodeSlots) / 3;
        DecodeBundle(s->CodeSlots, s->MemoryBase + s->CodePa, bundle);
        return (s->Pr >> i->Qp & 1) != 0 ? i->Handler(s, i) : Step.Next;
    }

    /// <summary>Decodes a bundle of the page at <paramref name="page"/> where that has not been done.</summary>
    public static void Decode(Instruction* slots, byte* page, int bundle)
    {
        if (slots[3 * bundle].Hints == NotDecoded)
            DecodeBundle(slots, page, bundle);
    }

    private static void DecodeBundle(Instruction* slots, byte* page, int bundle)
    {
        var words = (ulong*)(page + 16 * bundle);
        Instruction* first = slots + 3 * bundle;
        Decoder.DecodeBundle(words[0], words[1], first);
        for (int k = 0; k < 3; k++)
            first[k].Handler = Interpreter.HandlerOf(first[k].Opcode);
    }

    private static int PageEnd(VcpuState* s, Instruction* i)
    {
        CodePosition.Complete(s, i);
        s->Ip = s->CodeVa + Size;
        s->Slot = 0;
        s->Retired--;
        return Step.Redirect;
    }
}
