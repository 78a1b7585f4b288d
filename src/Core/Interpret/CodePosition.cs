using System.Runtime.CompilerServices;
using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>Where a decoded instruction of the running code page lies in the guest's address space.</summary>
public static unsafe class CodePosition
{
    /// <summary>Virtual address of the bundle that holds <paramref name="i"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Bundle(VcpuState* s, Instruction* i) => s->CodeVa + ((uint)((byte*)i - (byte*)s->CodeSlots) / 96) * 16;

    /// <summary>Slot number 0-2 of <paramref name="i"/> in its bundle.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Slot(Instruction* i) => i->Placement & 3;

    /// <summary>A run of slots ends before <paramref name="i"/> without a branch: what completed last is IIPA's source.</summary>
    public static void Complete(VcpuState* s, Instruction* i)
    {
        if (i > s->RunStart && (s->PsrValue & Psr.Ic) != 0)
            s->LastIp = Bundle(s, i - 1);
    }

    /// <summary>Makes the slot behind <paramref name="i"/> the next one to execute.</summary>
    public static void Advance(VcpuState* s, Instruction* i)
    {
        ulong bundle = Bundle(s, i);
        int slot = Slot(i) + 1;
        if (slot == 3 || (slot == 2 && i[1].Opcode == Opcode.LongSecondSlot))
        {
            bundle += 16;
            slot = 0;
        }

        s->Ip = bundle;
        s->Slot = slot;
    }
}
