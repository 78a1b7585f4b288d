using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FastXen.Smp.Host;

/// <summary>One thread's place to sleep: a Linux futex with nanosecond timeouts. A wake-up that comes first is kept.</summary>
internal sealed unsafe partial class Parker
{
    private const int None = 0, Token = 1, Sleeping = -1;
    private const nint FutexCall = 202, WaitPrivate = 128, WakePrivate = 129;

    // Pinned, with a cache line on either side: wakers write it.
    private readonly int[] memory = GC.AllocateArray<int>(64, pinned: true);
    private readonly int* word, handed;

    public Parker()
    {
        word = (int*)Unsafe.AsPointer(ref memory[32]);
        // In the same line: whoever wakes the thread gives it both at once.
        handed = word + 1;
    }

    /// <summary>The vCPU that was handed to the thread, by its index; -1: none. Any thread.</summary>
    public int Handed => Volatile.Read(ref *handed) - 1;

    /// <summary>
    /// Hands a vCPU to the thread, to be seen before an <see cref="Unpark"/> that follows; false when it has not taken the last one. Any thread.
    /// </summary>
    public bool TryHand(int index) => Interlocked.CompareExchange(ref *handed, index + 1, 0) == 0;

    /// <summary>What was handed has been taken, or does not hold any more. The thread's own.</summary>
    public void EndHand() => Volatile.Write(ref *handed, 0);

    /// <summary>Sleeps until <see cref="Unpark"/>, or for about this many nanoseconds (<see cref="long.MaxValue"/>: without limit). May return early.</summary>
    public void Park(long nanoseconds)
    {
        // The exchange is the fence between what the thread published before (it is idle) and its sleep.
        if (nanoseconds > 0 && Interlocked.CompareExchange(ref *word, Sleeping, None) == None)
        {
            Timespec timeout = new(nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
            // Timeouts, signals and a word that has changed are all the same: the thread looks for work.
            _ = SystemCall(FutexCall, (nint)word, WaitPrivate, Sleeping, nanoseconds == long.MaxValue ? 0 : (nint)(&timeout), 0, 0);
        }

        Interlocked.Exchange(ref *word, None);
    }

    /// <summary>Takes a wake-up that has come; false where none has. The thread's own.</summary>
    public bool TryTake()
    {
        if (Volatile.Read(ref *word) != Token)
            return false;
        // A fence, as behind a sleep.
        Interlocked.Exchange(ref *word, None);
        return true;
    }

    /// <summary>Wakes the thread, or has its next <see cref="Park"/> return at once. Any thread.</summary>
    public void Unpark()
    {
        if (Interlocked.Exchange(ref *word, Token) == Sleeping)
            _ = SystemCall(FutexCall, (nint)word, WakePrivate, 1, 0, 0, 0);
    }

    private readonly record struct Timespec(long Seconds, long Nanoseconds);

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint SystemCall(nint number, nint address, nint operation, nint value, nint timeout, nint address2, nint value3);
}
