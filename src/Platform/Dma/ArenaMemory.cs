using FastXen.Mmu;

namespace FastXen.Platform.Dma;

/// <summary>The memory of a machine whose devices use the processors' physical addresses: all RAM, which never goes away.</summary>
internal sealed unsafe class ArenaMemory(PhysicalMemory memory) : DeviceMemory
{
    /// <inheritdoc/>
    public override bool TryHold(ulong address, int length, DmaAccess access, out byte* host)
    {
        bool found = memory.IsRam(address, (ulong)length);
        host = found ? memory.Base + address : null;
        return found;
    }

    /// <inheritdoc/>
    public override void Release(ulong address, int length, DmaAccess access)
    {
    }

    /// <inheritdoc/>
    public override void NotifyWritten(ulong address, int length) => memory.NotifyWritten(address, (ulong)length);
}
