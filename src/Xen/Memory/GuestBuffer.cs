namespace FastXen.Xen.Memory;

/// <summary>Guest memory that the hypervisor writes later, again and again (a runstate area): resolved when it was registered.</summary>
public sealed class GuestBuffer
{
    private readonly DomainMemory memory;
    private readonly Part[] parts;

    internal GuestBuffer(DomainMemory memory, Part[] parts)
    {
        this.memory = memory;
        this.parts = parts;
    }

    /// <summary>Bytes at a guest physical address, inside of one frame.</summary>
    internal readonly record struct Part(ulong Gpa, int Length);

    /// <summary>Bytes in all.</summary>
    public int Length => parts.Sum(part => part.Length);

    /// <summary>Writes from the start. False when the domain has given up some of the memory.</summary>
    public bool Write(ReadOnlySpan<byte> source)
    {
        foreach (Part part in parts)
        {
            int length = Math.Min(part.Length, source.Length);
            if (memory.Write(part.Gpa, source[..length]) != length)
                return false;
            source = source[length..];
        }
        return source.IsEmpty;
    }

    /// <summary>Reads from the start. False when the domain has given up some of the memory.</summary>
    public bool Read(Span<byte> destination)
    {
        foreach (Part part in parts)
        {
            int length = Math.Min(part.Length, destination.Length);
            if (memory.Read(part.Gpa, destination[..length]) != length)
                return false;
            destination = destination[length..];
        }
        return destination.IsEmpty;
    }
}
