namespace FastXen.Mmu;

/// <summary>What a memory reference wants of a page.</summary>
[Flags]
public enum AccessKind : byte
{
    /// <summary>Loads, lfetch.fault, probe.r.fault.</summary>
    Read = 1,
    /// <summary>Stores, probe.w.fault.</summary>
    Write = 2,
    /// <summary>Semaphores, probe.rw.fault.</summary>
    ReadWrite = Read | Write,
    /// <summary>Instruction fetch: uses the instruction TLB and PSR.it.</summary>
    Fetch = 4,
    /// <summary>With <see cref="Read"/> or <see cref="Write"/>: a register stack engine reference, by PSR.rt. The privilege level is RSC.pl.</summary>
    Rse = 8,
    /// <summary>fc, fc.i: read rights at the privilege level, but no keys, access bit or debug registers.</summary>
    FlushCache = 16 | Read,
}

/// <summary>How a translation ended. Faults are in the order of their priority (manual volume 2, table 5-6), but for <see cref="DataNestedTlb"/>.</summary>
public enum TranslationOutcome : byte
{
    /// <summary>Translated.</summary>
    Ok,
    /// <summary>A speculative load with a fault that is deferred: the target becomes NaT.</summary>
    Deferred,
    /// <summary>Unimplemented Data (or Instruction) Address fault.</summary>
    UnimplementedAddress,
    /// <summary>Data Nested TLB fault: a data TLB miss while PSR.ic is 0.</summary>
    DataNestedTlb,
    /// <summary>Alternate Instruction/Data TLB fault: a miss while the walker is off.</summary>
    AlternateTlb,
    /// <summary>VHPT Translation fault: the walker's entry has no translation; IHA is its address.</summary>
    VhptTranslation,
    /// <summary>Instruction/Data TLB fault: the walker found nothing or gave up; IHA is the entry's address.</summary>
    TlbMiss,
    /// <summary>Page Not Present fault.</summary>
    PageNotPresent,
    /// <summary>Instruction/Data NaT Page Consumption fault.</summary>
    NatPageConsumption,
    /// <summary>Instruction/Data Key Miss fault.</summary>
    KeyMiss,
    /// <summary>Instruction/Data Key Permission fault.</summary>
    KeyPermission,
    /// <summary>Instruction/Data Access Rights fault.</summary>
    AccessRights,
    /// <summary>Dirty-Bit fault.</summary>
    DirtyBit,
    /// <summary>Instruction/Data Access-Bit fault.</summary>
    AccessBit,
    /// <summary>Instruction/Data Debug fault.</summary>
    Debug,
}

/// <summary>The result of a translation, with the values for the control registers when it failed.</summary>
public struct Translation
{
    /// <summary>Physical address, without the attribute bit 63.</summary>
    public ulong PhysicalAddress;
    /// <summary>The translation's first word; 0 in physical mode or on a miss.</summary>
    public Pte Pte;
    /// <summary>Protection key of the page.</summary>
    public uint Key;
    /// <summary>log2 of the page size; in physical mode the implementation's smallest page.</summary>
    public byte PageShift;
    /// <summary>Memory attribute.</summary>
    public MemoryAttribute Attribute;
    /// <summary>True for what the hypervisor gives: no protection key is asked for.</summary>
    public bool Unkeyed;
    /// <summary>True where the domain may only read the frame, whatever its translations say.</summary>
    public bool ReadOnlyFrame;
    /// <summary>For CR.IFA: the virtual address; of the bundle for a fetch.</summary>
    public ulong Ifa;
    /// <summary>For CR.ITIR: default page size and region identifier.</summary>
    public ulong Itir;
    /// <summary>For CR.IHA, after <see cref="TranslationOutcome.VhptTranslation"/> and <see cref="TranslationOutcome.TlbMiss"/>.</summary>
    public ulong Iha;
}
