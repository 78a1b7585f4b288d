using FastXen.Mmu;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Processor;

/// <summary>A domain's memory as the engines' MMUs look it up.</summary>
internal sealed unsafe class DomainFrameMap(DomainMemory memory, byte* arena) : FrameMap
{
    /// <inheritdoc/>
    public override ulong Translate(ulong gpa, FrameCacher cacher, bool writes, out bool readOnly)
    {
        const ulong Offset = Frame.Size - 1;
        P2mEntry entry = memory.LookupToCache(gpa >> Frame.Shift, cacher.Name);
        readOnly = entry.Kind == FrameKind.Ram ? !memory.MayWriteUnseen(gpa >> Frame.Shift, writes)
            : entry.Kind is FrameKind.Granted or FrameKind.Foreign or FrameKind.Fixed && !entry.IsWritable;
        return entry.Kind switch
        {
            FrameKind.Hole => Nothing | (gpa & Offset),
            FrameKind.Mmio => Device | gpa,
            _ => (ulong)(entry.Host - arena) + (gpa & Offset),
        };
    }
}
