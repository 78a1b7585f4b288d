namespace FastXen.Mmu;

/// <summary>
/// From a domain's guest physical addresses to memory: what the hypervisor says of each frame (its P2M). Asked when a translation is resolved, never by
/// an access that hits the engines' TLBs.
/// </summary>
public abstract class FrameMap
{
    /// <summary>Address of what has nothing behind it: no memory, and no device.</summary>
    public const ulong Nothing = 1UL << 48;

    /// <summary>Set in the address of a device's window: the rest is the guest physical address.</summary>
    public const ulong Device = 1UL << 49;

    // Memory is less than 2^47 bytes below or above the arena's base, in the host's address space.
    private const ulong Reach = 1UL << 47;

    /// <summary>True for the address of memory.</summary>
    internal static bool IsMemory(ulong address) => address + Reach < 2 * Reach;

    /// <summary>
    /// The address behind a guest physical address: of memory, as an offset from the arena's base that may lead out of it (modulo 2^64); of a device's window
    /// (<see cref="Device"/>); or <see cref="Nothing"/>. It holds for the frame of 16 KiB. <paramref name="cacher"/>: who keeps the translation,
    /// so that it can be told when it ends. <paramref name="writes"/>: it is for a reference that writes. <paramref name="readOnly"/>: it must not be kept for such.
    /// </summary>
    public abstract ulong Translate(ulong gpa, FrameCacher cacher, bool writes, out bool readOnly);
}
