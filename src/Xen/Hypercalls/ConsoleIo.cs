using FastXen.Xen.Memory;

namespace FastXen.Xen.Hypercalls;

/// <summary>console_io (18): text to the hypervisor's console, and what was typed there.</summary>
internal static unsafe class ConsoleIo
{
    private const ulong Write = 0, Read = 1;
    private const int Piece = 512;

    // Bytes between look-points.
    private const int Slice = 32 * Piece;

    /// <summary>console_io(command, count, buffer).</summary>
    public static long Do(HypercallFrame* call)
    {
        var buffer = new XencommHandle(call->Arguments[2]);
        int count = (int)Math.Min(call->Arguments[1] & 0xFFFF_FFFF, int.MaxValue);
        DomainMemory memory = call->Domain.Memory;
        Span<byte> piece = stackalloc byte[Piece];
        switch (call->Arguments[0])
        {
            case Write:
                int end = (int)Math.Min((ulong)count, call->Progress + Slice);
                for (int done = (int)call->Progress; done < end; done += Piece)
                {
                    Span<byte> part = piece[..Math.Min(Piece, count - done)];
                    if (!buffer.Read(memory, (ulong)done, part))
                        return -Errno.EFAULT;
                    call->Caller.Machine.Configuration.Console?.Write(part);
                }

                return end < count ? call->ContinueFrom((ulong)end) : 0;
            case Read:
                Span<byte> typed = piece[..Math.Min(Piece, count)];
                int got = call->Caller.Machine.Configuration.Console?.Read(typed) ?? 0;
                return got == 0 || buffer.Write(memory, 0, typed[..got]) ? got : -Errno.EFAULT;
            default:
                return -Errno.ENOSYS;
        }
    }
}
