namespace FastXen.Mmu.Tests;

/// <summary>An MMU with 16 MiB of RAM at 0, and the bits that tests speak in.</summary>
public sealed unsafe class TestMachine : IDisposable
{
    public const ulong Ic = 1UL << 13, Pk = 1UL << 15, Dt = 1UL << 17, Db = 1UL << 24, Rt = 1UL << 27, It = 1UL << 36;
    public const ulong Id = 1UL << 37, Da = 1UL << 38, Dd = 1UL << 39, Ia = 1UL << 45;
    /// <summary>PSR of a kernel that runs normally.</summary>
    public const ulong Normal = Ic | Dt | Rt | It;
    public const ulong RamSize = 16 << 20;

    public MmuState* M { get; } = MmuState.Allocate();
    public PhysicalMemory Memory { get; } = new(64 << 20);

    public TestMachine() => Memory.AddRam(0, RamSize);

    public void Dispose()
    {
        MmuState.Free(M);
        Memory.Dispose();
    }

    /// <summary>A translation word; by default present, accessed, dirty, WB, all rights to all levels.</summary>
    public static ulong Pte(ulong physical, int rights = 3, int privilege = 3, int attribute = 0, bool present = true, bool accessed = true, bool dirty = true, bool ed = false) =>
        physical | (ulong)rights << 9 | (ulong)privilege << 7 | (ulong)attribute << 2
        | (present ? 1UL : 0) | (accessed ? 1UL << 5 : 0) | (dirty ? 1UL << 6 : 0) | (ed ? 1UL << 52 : 0);

    public static ulong Itir(int shift, uint key = 0) => (ulong)shift << 2 | (ulong)key << 8;

    public static ulong Rr(uint rid, int shift = 14, bool walker = false) => (ulong)rid << 8 | (ulong)shift << 2 | (walker ? 1UL : 0);

    public void SetRr(int region, ulong value) => Assert.Equal(TlbResult.Ok, MmuRegisters.SetRr(M, (ulong)region << 61, value));

    public void InsertData(ulong va, ulong pte, int shift = 14, uint key = 0) =>
        Assert.Equal(TlbResult.Ok, Tlb.InsertDataCache(M, va, Itir(shift, key), pte));

    public void InsertCode(ulong va, ulong pte, int shift = 14, uint key = 0) =>
        Assert.Equal(TlbResult.Ok, Tlb.InsertInstructionCache(M, va, Itir(shift, key), pte));

    public TranslationOutcome Resolve(ulong va, AccessKind kind, out Translation t, int privilege = 0, ulong psr = Normal, ulong dcr = 0, int size = 8) =>
        AddressTranslation.Resolve(M, Memory, va, size, kind, privilege, psr, dcr, out t);

    public TranslationOutcome Resolve(ulong va, AccessKind kind, int privilege = 0, ulong psr = Normal, ulong dcr = 0, int size = 8) =>
        Resolve(va, kind, out _, privilege, psr, dcr, size);
}
