using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>
/// Notices a vCPU that spins, so that it lets others run where there are more vCPUs than host threads: by <c>hint @pause</c>, and by a loop that
/// changes nothing (it waits for what another vCPU will write).
/// </summary>
public static unsafe class Spinning
{
    /// <summary>Immediate of the hint @pause (SDM vol 3, hint).</summary>
    private const ulong Pause = 0;

    /// <summary>Pauses after which others run: less than a lock is usually held for by a vCPU that runs.</summary>
    private const uint MostPauses = 64;

    /// <summary>Instructions between two looks at the registers.</summary>
    private const ulong Interval = 10_000;

    /// <summary>hint: only @pause is one of ours.</summary>
    public static int Hint(VcpuState* s, Instruction* i)
    {
        if (i->Immediate != Pause || ++s->Pauses < MostPauses || s->Overcommitted == 0)
            return Step.Next;
        s->Deadline = 0;
        return Step.Resync;
    }

    /// <summary>True, at a look-point, when others should run first.</summary>
    public static bool ShouldYield(VcpuState* s) => s->Overcommitted != 0 && (s->Pauses >= MostPauses || ChangesNothing(s));

    /// <summary>What was counted does not count any longer: the vCPU will go on after others.</summary>
    public static void Forget(VcpuState* s) => s->Pauses = 0;

    // The same registers at the same place as some thousand instructions ago: a loop that waits.
    private static bool ChangesNothing(VcpuState* s)
    {
        if (s->Retired - s->SpinLook < Interval)
            return false;
        s->SpinLook = s->Retired;
        ulong digest = Digest(s);
        bool same = digest == s->SpinDigest;
        s->SpinDigest = digest;
        return same;
    }

    private static ulong Digest(VcpuState* s)
    {
        ulong digest = s->Ip ^ (ulong)s->Slot ^ s->Cfm;
        Add(s->Pr);
        Add(s->Ar[Ar.Lc]);
        for (int r = 1; r < 32; r++)
            Add(s->Gr[r]);
        for (int r = 32; r < 32 + s->Sof; r++)
            Add(s->FrameBase[r]);
        for (int b = 0; b < 8; b++)
            Add(s->Br[b]);
        return digest;

        void Add(ulong value) => digest = (digest ^ value) * 0x9E37_79B9_7F4A_7C15 ^ digest >> 29;
    }
}
