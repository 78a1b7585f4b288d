using System.Runtime.CompilerServices;

namespace FastXen.Xen.Memory;

/// <summary>
/// A pointer in a hypercall (public header xencomm.h): 0, an inline guest physical address, or the guest physical address of a
/// descriptor that lists pieces, each up to the end of its frame. A handle is good for the duration of one call only; what is kept
/// longer is resolved to a <see cref="GuestBuffer"/>.
/// </summary>
public readonly unsafe record struct XencommHandle(ulong Value)
{
    private const ulong InlineMask = 0xf800_0000_0000_0000, InlineTag = 0x8000_0000_0000_0000;
    private const uint Magic = 0x5843_4F4D;
    private const int HeaderSize = 8;
    private const ulong SkipPage = ~0UL;

    /// <summary>Pieces of a descriptor that are looked at; guests' largest descriptors fill one frame (2047).</summary>
    public const int MaximumPieces = 4096;

    /// <summary>NULL.</summary>
    public bool IsNull => Value == 0;

    /// <summary>The handle of contiguous guest physical memory.</summary>
    public static XencommHandle Inline(ulong gpa) => new(InlineTag | gpa);

    /// <summary>Copies from the guest, from <paramref name="offset"/> bytes behind the start. False: -EFAULT; part may have been copied.</summary>
    public bool Read(DomainMemory memory, ulong offset, Span<byte> destination)
    {
        var pieces = new Pieces(memory, this, offset);
        while (destination.Length > 0)
        {
            if (!pieces.Next(destination.Length, out ulong gpa, out int length)
                || memory.Read(gpa, destination[..length]) != length)
                return false;
            destination = destination[length..];
        }
        return true;
    }

    /// <summary>Copies to the guest. False: -EFAULT; part may have been copied.</summary>
    public bool Write(DomainMemory memory, ulong offset, ReadOnlySpan<byte> source)
    {
        var pieces = new Pieces(memory, this, offset);
        while (source.Length > 0)
        {
            if (!pieces.Next(source.Length, out ulong gpa, out int length)
                || memory.Write(gpa, source[..length]) != length)
                return false;
            source = source[length..];
        }
        return true;
    }

    /// <summary>Reads element <paramref name="index"/> of an array.</summary>
    public bool Read<T>(DomainMemory memory, out T value, ulong index = 0) where T : unmanaged
    {
        Unsafe.SkipInit(out value);
        return Read(memory, Offset<T>(index), new Span<byte>(Unsafe.AsPointer(ref value), sizeof(T)));
    }

    /// <summary>Writes element <paramref name="index"/> of an array.</summary>
    public bool Write<T>(DomainMemory memory, in T value, ulong index = 0) where T : unmanaged
    {
        fixed (T* pointer = &value)
            return Write(memory, Offset<T>(index), new ReadOnlySpan<byte>(pointer, sizeof(T)));
    }

    /// <summary>The guest physical addresses of the first <paramref name="length"/> bytes, or null (-EFAULT).</summary>
    public GuestBuffer? Resolve(DomainMemory memory, int length)
    {
        var pieces = new Pieces(memory, this, 0);
        var parts = new List<GuestBuffer.Part>();
        int rest = length;
        while (rest > 0)
        {
            if (!pieces.Next(rest, out ulong gpa, out int size) || memory.OwnFrameToRead(gpa >> Frame.Shift) == null)
                return null;
            parts.Add(new GuestBuffer.Part(gpa, size));
            rest -= size;
        }
        return new GuestBuffer(memory, [.. parts]);
    }

    // An index comes from a counter below a guest's 32-bit count; sizes are small.
    private static ulong Offset<T>(ulong index) where T : unmanaged => checked(index * (uint)sizeof(T));

    // Walks the pieces; each is inside of one frame. Everything is read once: the guest may change it meanwhile.
    private ref struct Pieces
    {
        private readonly DomainMemory memory;
        private readonly ulong addresses;
        private readonly uint count;
        private readonly bool isValid, isInline;
        private ulong gpa;
        private ulong skip;
        private uint index;

        public Pieces(DomainMemory memory, XencommHandle handle, ulong offset)
        {
            this.memory = memory;
            ulong value = handle.Value;
            isInline = (value & InlineMask) == InlineTag;
            if (isInline)
            {
                gpa = (value & ~InlineMask) + offset;
                isValid = offset < 1UL << Frame.AddressBits;
                return;
            }
            skip = offset;
            addresses = value + HeaderSize;
            isValid = value % HeaderSize == 0 && memory.TryRead(value, out ulong header) && (uint)header == Magic
                && (count = (uint)(header >> 32)) > 0;
            count = Math.Min(count, MaximumPieces);
        }

        public bool Next(int wanted, out ulong start, out int length)
        {
            if (isInline)
            {
                start = gpa;
                length = Math.Min(wanted, Frame.Size - (int)(gpa & (Frame.Size - 1)));
                gpa += (uint)length;
                return isValid;
            }
            while (isValid && index < count && memory.TryRead(addresses + 8UL * index, out ulong address))
            {
                index++;
                if (address == SkipPage)
                    continue;
                ulong room = Frame.Size - (address & (Frame.Size - 1));
                if (skip >= room)
                {
                    skip -= room;
                    continue;
                }
                start = address + skip;
                length = (int)Math.Min((ulong)wanted, room - skip);
                skip = 0;
                return true;
            }
            start = 0;
            length = 0;
            return false;
        }
    }
}
