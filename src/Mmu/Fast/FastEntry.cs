using System.Runtime.InteropServices;

namespace FastXen.Mmu;

/// <summary>One 4 KiB page of a fast table. Translated code uses these offsets.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct FastEntry
{
    /// <summary>The tag that no access has: its low bits are never all set in a masked address.</summary>
    public const ulong Invalid = ~0UL;

    /// <summary>Virtual address of the page, or <see cref="Invalid"/>.</summary>
    public ulong ReadTag;
    /// <summary>As <see cref="ReadTag"/> when stores (and semaphores) are allowed and the page is dirty.</summary>
    public ulong WriteTag;
    /// <summary>Host address = virtual address + this.</summary>
    public ulong Addend;
    /// <summary>Physical address of the page.</summary>
    public ulong PhysicalPage;
}

/// <summary>One 4 KiB page of the code TLB.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CodeEntry
{
    /// <summary>Virtual address of the page, or <see cref="FastEntry.Invalid"/>.</summary>
    public ulong Tag;
    /// <summary>Region identifier 31:8 and mode, as <see cref="CodeTlb"/> makes it.</summary>
    public ulong Space;
    /// <summary>Physical address of the page.</summary>
    public ulong PhysicalPage;
    /// <summary>The translation's first word (rights and level for epc, ed for speculation); 0 in physical mode.</summary>
    public Pte Pte;
}
