using System.Runtime.CompilerServices;
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

    // Bundles are decoded by one thread at a time; pages that are no neighbours do not meet.
    private const int Locks = 16;
    private static readonly Lock[] Decoding = [.. Enumerable.Range(0, Locks).Select(_ => new Lock())];

    /// <summary>Makes all slots of a page undecoded, which nobody else uses. <paramref name="physical"/>: the page's address.</summary>
    public static void Clear(Instruction* slots, ulong physical)
    {
        for (int k = 0; k < Slots - 1; k++)
            slots[k] = new Instruction { Handler = &Undecoded, Placement = (byte)(k % 3), Hints = NotDecoded };
        slots[Slots - 1] = new Instruction { Handler = &PageEnd, Immediate = physical };
    }

    /// <summary>
    /// The handler of a slot that another thread may be decoding: to be read before anything else of the slot, which is then what the handler was
    /// made for.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static delegate*<VcpuState*, Instruction*, int> HandlerOf(Instruction* i) =>
        (delegate*<VcpuState*, Instruction*, int>)Volatile.Read(ref *(nint*)i);

    /// <summary>The physical address of a page.</summary>
    public static ulong PhysicalOf(Instruction* slots) => slots[Slots - 1].Immediate;

    // Decoding is no event of the guest's: the run goes on with the instruction, so that when slots are decoded has no effect on where
    // the run loop looks at timers and interrupts.
    private static int Undecoded(VcpuState* s, Instruction* i)
    {
        int bundle = (int)(i - s->CodeSlots) / 3;
        DecodeBundle(s->CodeSlots, s->MemoryBase + s->CodePa, bundle);
        delegate*<VcpuState*, Instruction*, int> handler = HandlerOf(i);
        return (s->Pr >> i->Qp & 1) != 0 ? handler(s, i) : Step.Next;
    }

    /// <summary>Decodes a bundle of the page at <paramref name="page"/> where that has not been done.</summary>
    public static void Decode(Instruction* slots, byte* page, int bundle)
    {
        if (!IsDecoded(slots + 3 * bundle))
            DecodeBundle(slots, page, bundle);
    }

    // Hints of a bundle's first slot are written when all slots are complete but for its handler.
    private static bool IsDecoded(Instruction* first) => Volatile.Read(ref first->Hints) != NotDecoded;

    private static void DecodeBundle(Instruction* slots, byte* page, int bundle)
    {
        Instruction* first = slots + 3 * bundle;
        lock (Decoding[(nuint)slots / (Slots * (nuint)sizeof(Instruction)) % Locks])
        {
            if (IsDecoded(first))
                return;
            var words = (ulong*)(page + 16 * bundle);
            Instruction* decoded = stackalloc Instruction[3];
            Decoder.DecodeBundle(words[0], words[1], decoded);
            for (int k = 2; k >= 0; k--)
            {
                decoded[k].Handler = Interpreter.HandlerOf(decoded[k].Opcode);
                Publish((ulong*)(first + k), (ulong*)(decoded + k));
            }
        }
    }

    // Others may be at the slot: they see its handler, if they see it, with all that belongs to it (and with all of the slots behind it). One that is still
    // undecoded may have its predicate already.
    private static void Publish(ulong* slot, ulong* decoded)
    {
        slot[1] = decoded[1];
        slot[2] = decoded[2];
        Volatile.Write(ref slot[3], decoded[3]);
        Volatile.Write(ref slot[0], decoded[0]);
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
