namespace FastXen.Mmu;

/// <summary>
/// What the MMU does for a paravirtualized guest of Xen/ia64: its kernel runs at a privilege level above 0, sees a window of the hypervisor's at a fixed
/// address whatever its translations say, and has a mode without translation ("metaphysical") that is a region identifier of its own.
/// </summary>
public struct Paravirtual
{
    /// <summary>Region identifier in which region offsets are guest addresses. Guests have fewer bits of region identifiers.</summary>
    public const uint MetaphysicalRid = 0xFF_FFFE;

    /// <summary>The kernel's privilege level: translations become no more privileged. 0: there is no hypervisor.</summary>
    public int Level;

    /// <summary>This vCPU's name in a <see cref="FrameCacher"/>; not 0.</summary>
    public uint Cacher;

    /// <summary>Bytes of each of the window's two halves: shared_info, then this vCPU's mapped registers (arch-ia64.h: XSI_BASE, XMAPPEDREGS_OFS).</summary>
    public const ulong HalfWindow = 0x4000;

    /// <summary>Virtual address of the window.</summary>
    public ulong WindowVa;

    /// <summary>Bytes of the window; 0 where there is none.</summary>
    public ulong WindowSize;

    /// <summary>Guest address behind the window's first half.</summary>
    public ulong SharedInfo;

    /// <summary>Guest address behind the window's second half.</summary>
    public ulong MappedRegisters;

    /// <summary>Guest address of an address in the window.</summary>
    public readonly ulong WindowAddress(ulong va) =>
        va - WindowVa is var offset && offset < HalfWindow ? SharedInfo + offset : MappedRegisters + (offset - HalfWindow);

    // A page that the kernel's level may do everything with: present, accessed, dirty, access rights 3.
    internal static Pte Page(ulong gpa, int level) => new((gpa & 0x0003_ffff_ffff_f000) | 1 | 1 << 5 | 1 << 6 | (ulong)level << 7 | 3 << 9);
}
