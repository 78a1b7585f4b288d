using System.Runtime.CompilerServices;

namespace FastXen.Xen.Memory;

// The hypervisor's reads and writes of a guest's arguments. By a thread that keeps the domain alive (one of its vCPUs).
public sealed unsafe partial class DomainMemory
{
    /// <summary>Host address of an own frame, for reading, or null. Valid while the domain lives; content and ownership may change.</summary>
    public byte* OwnFrameToRead(ulong gpfn)
    {
        P2mEntry entry = Lookup(gpfn);
        return entry.IsOwn ? entry.Host : null;
    }

    /// <summary>As <see cref="OwnFrameToRead"/>, for writing.</summary>
    public byte* OwnFrameToWrite(ulong gpfn)
    {
        P2mEntry entry = Lookup(gpfn);
        return entry.IsOwn && entry.IsWritable ? entry.Host : null;
    }

    /// <summary>Copies from own frames at a guest physical address; returns how many bytes could be copied.</summary>
    public int Read(ulong gpa, Span<byte> destination)
    {
        int done = 0;
        while (done < destination.Length)
        {
            byte* frame = OwnFrameToRead(gpa >> Frame.Shift);
            if (frame == null)
                break;
            int offset = (int)(gpa & (Frame.Size - 1));
            int part = Math.Min(Frame.Size - offset, destination.Length - done);
            new ReadOnlySpan<byte>(frame + offset, part).CopyTo(destination[done..]);
            done += part;
            gpa += (uint)part;
        }
        return done;
    }

    /// <summary>Copies to own frames at a guest physical address; returns how many bytes could be copied.</summary>
    public int Write(ulong gpa, ReadOnlySpan<byte> source)
    {
        int done = 0;
        while (done < source.Length)
        {
            byte* frame = OwnFrameToWrite(gpa >> Frame.Shift);
            if (frame == null)
                break;
            int offset = (int)(gpa & (Frame.Size - 1));
            int part = Math.Min(Frame.Size - offset, source.Length - done);
            source.Slice(done, part).CopyTo(new Span<byte>(frame + offset, part));
            NoteWritten(gpa >> Frame.Shift);
            done += part;
            gpa += (uint)part;
        }
        return done;
    }

    /// <summary>Reads a value; false where it is not all in own frames.</summary>
    public bool TryRead<T>(ulong gpa, out T value) where T : unmanaged
    {
        Unsafe.SkipInit(out value);
        return Read(gpa, new Span<byte>(Unsafe.AsPointer(ref value), sizeof(T))) == sizeof(T);
    }

    /// <summary>Writes a value; false where it is not all in own frames.</summary>
    public bool TryWrite<T>(ulong gpa, T value) where T : unmanaged =>
        Write(gpa, new ReadOnlySpan<byte>(&value, sizeof(T))) == sizeof(T);
}
