using System.Runtime.InteropServices;

namespace FastXen.Smp.Host;

/// <summary>What the scheduler asks of Linux for its host threads.</summary>
internal static unsafe partial class HostProcessor
{
    private const int SetTimerSlack = 29;
    private const int MaskWords = 128;

    /// <summary>Has the calling thread's timeouts end when they are due (the kernel's default is up to 50 microseconds later).</summary>
    public static void UseExactTimeouts() => _ = Control(SetTimerSlack, 1, 0, 0, 0);

    /// <summary>Binds the calling thread to the <paramref name="index"/>-th, modulo their number, of the processors that it may use. A host that refuses is obeyed.</summary>
    public static void Bind(int index)
    {
        ulong* mask = stackalloc ulong[MaskWords];
        if (GetAffinity(0, MaskWords * sizeof(ulong), mask) != 0)
            return;
        int allowed = 0;
        for (int i = 0; i < MaskWords; i++)
            allowed += System.Numerics.BitOperations.PopCount(mask[i]);
        if (allowed == 0)
            return;
        int wanted = index % allowed;
        for (int i = 0; i < MaskWords * 64; i++)
        {
            if ((mask[i / 64] >> (i % 64) & 1) == 0 || wanted-- > 0)
                continue;
            new Span<ulong>(mask, MaskWords).Clear();
            mask[i / 64] = 1UL << (i % 64);
            _ = SetAffinity(0, MaskWords * sizeof(ulong), mask);
            return;
        }
    }

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Control(int option, nint argument2, nint argument3, nint argument4, nint argument5);

    [LibraryImport("libc", EntryPoint = "sched_getaffinity")]
    private static partial int GetAffinity(int thread, nint size, ulong* mask);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int thread, nint size, ulong* mask);
}
