using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastXen.Core.Float;

namespace FastXen.Core.State;

/// <summary>
/// The whole architected state of one virtual processor, unmanaged and at a fixed address, so that
/// both engines (and translated code, through one host register) address it with constant offsets.
/// </summary>
/// <remarks>
/// Invariants that every writer keeps:
/// r0 reads 0 and has no NaT; f0 and f1 hold 0.0 and 1.0; predicate 0 is 1.
/// While <see cref="NatPresent"/> is 0, every NaT byte of the state is 0 (static, banked, stacked).
/// <see cref="FrameBase"/>[r] is GR r for r in 32..127; <see cref="RotatingFr"/>[f] is FR f for f in 32..127;
/// both already include rotation. <see cref="Pr"/> holds predicates by their rotated names.
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct VcpuState
{
    /// <summary>Stacked general registers, biased: FrameBase[32] is r32.</summary>
    public ulong* FrameBase;
    /// <summary>NaT bytes (0 or 1) of the stacked registers, biased: FrameNat[32] is r32's.</summary>
    public byte* FrameNat;
    /// <summary>Rotating floating-point registers, biased: RotatingFr[32] is f32.</summary>
    public FloatRegister* RotatingFr;
    /// <summary>Predicates by rotated name; bit 0 is always 1.</summary>
    public ulong Pr;
    /// <summary>Highest general register number that the current frame has: 31 + CFM.sof.</summary>
    public uint GrLimit;
    /// <summary>Non-zero when some NaT byte may be 1.</summary>
    public uint NatPresent;
    /// <summary>Address of the current bundle (valid between instructions, and after a handler returned <see cref="Interpret.Step.Redirect"/>).</summary>
    public ulong Ip;
    /// <summary>Slot of the next instruction, valid where <see cref="Ip"/> is (PSR.ri; the bits in <see cref="PsrValue"/> are not kept).</summary>
    public int Slot;
    /// <summary>Non-zero when instructions run one at a time with all debug checks (PSR.ss, id, da, dd, ia; armed breakpoints).</summary>
    public uint Careful;
    /// <summary>Processor status register; ri is in <see cref="Slot"/>.</summary>
    public ulong PsrValue;
    /// <summary>Static registers r0-r31 (the bank that PSR.bn selects in r16-r31).</summary>
    public fixed ulong Gr[32];
    /// <summary>NaT bytes of the static registers.</summary>
    public fixed byte GrNat[32];
    /// <summary>r16-r31 of the bank that is not selected.</summary>
    public fixed ulong OtherBank[16];
    /// <summary>NaT bytes of the bank that is not selected.</summary>
    public fixed byte OtherBankNat[16];
    /// <summary>Branch registers.</summary>
    public fixed ulong Br[8];
    /// <summary>Application registers by number. BSP, BSPSTORE, RNAT, ITC, RUC are not here but computed: read them by <see cref="Interpret.ApplicationRegisters"/>.</summary>
    public fixed ulong Ar[128];
    /// <summary>Control registers by number; those with side effects through <see cref="Interpret.ControlRegisters"/>.</summary>
    public fixed ulong Cr[128];
    /// <summary>Current frame marker: sof 6:0, sol 13:7, sor 17:14, rrb.gr 24:18, rrb.fr 31:25, rrb.pr 37:32.</summary>
    public ulong Cfm;

    /// <summary>Backing-store address at which the next dirty register will be spilled (AR.BSPSTORE).</summary>
    public ulong BspStore;
    /// <summary>RSE NaT collection under construction (AR.RNAT).</summary>
    public ulong Rnat;
    /// <summary>Registers of the dirty partition; negative by the number of missing registers while a frame is incomplete.</summary>
    public int Dirty;
    /// <summary>
    /// Non-zero while the general registers of an incomplete frame are still in physical order: CFM.rrb.gr is applied when the last of them
    /// has been loaded.
    /// </summary>
    public uint GrUnrotated;
    /// <summary>Valid entries of the ALAT, by bit.</summary>
    public uint AlatValid;
    /// <summary>Valid entries of registers that rotation and frame changes rename, by bit.</summary>
    public uint AlatRenamed;
    /// <summary>The 8-byte granules of which entries of the ALAT have been made, by bit (address bits 8:3), since there was none last.</summary>
    public ulong AlatFilter;
    /// <summary>First register of the linear buffer of stacked registers.</summary>
    public ulong* StackBuffer;
    /// <summary>NaT bytes of <see cref="StackBuffer"/>.</summary>
    public byte* StackNatBuffer;
    /// <summary>First register of the sliding buffer of rotating floating-point registers.</summary>
    public FloatRegister* FrBuffer;

    /// <summary>f0-f31: pairs of significand and sign-exponent, read through <see cref="Registers.Fr"/>.</summary>
    public fixed ulong FrStatic[64];

    /// <summary>Retired instructions since reset.</summary>
    public ulong Retired;
    /// <summary>When <see cref="Retired"/> reaches this, the run loop leaves the fast path to look at timers, interrupts and requests. Other threads may set it to 0.</summary>
    public ulong Deadline;
    /// <summary>Interrupt requests, 256 bits; set by any thread with interlocked operations.</summary>
    public fixed ulong Irr[4];
    /// <summary>Interrupts in service, 256 bits.</summary>
    public fixed ulong InService[4];
    /// <summary>Non-zero when ITC counts retired slots.</summary>
    public uint Deterministic;
    /// <summary>Non-zero when other processors write the same memory: what the ALAT says is compared with memory.</summary>
    public uint Shared;
    /// <summary>Non-zero while there are more vCPUs to run than host threads: one that spins yields. Other threads may set it.</summary>
    public uint Overcommitted;
    /// <summary>Executions of hint @pause since the vCPU began its slice.</summary>
    public uint Pauses;
    /// <summary>When <see cref="Interpret.Spinning"/> last looked at the registers, in retired instructions.</summary>
    public ulong SpinLook;
    /// <summary>What it saw then.</summary>
    public ulong SpinDigest;
    /// <summary>Frequency of AR.ITC in Hz.</summary>
    public ulong ItcFrequency;
    /// <summary>Host timestamp at which the clock began.</summary>
    public long ClockStart;
    /// <summary>Deterministic time that passed while nothing ran.</summary>
    public ulong IdleTime;
    /// <summary>AR.ITC minus the raw clock.</summary>
    public ulong ItcOffset;
    /// <summary>Non-zero once the match of ITM has raised its interrupt.</summary>
    public uint ItmFired;
    /// <summary>Bundle of the last taken branch or interruption: IIPA's source when a fault comes before anything else completed.</summary>
    public ulong LastIp;
    /// <summary>Equal to <see cref="CodeVa"/> while that page may go on executing; an odd value where it must be looked up again.</summary>
    public ulong FetchVa;
    /// <summary>Virtual address of the code page that runs now (4 KiB aligned).</summary>
    public ulong CodeVa;
    /// <summary>Physical address of the code page that runs now.</summary>
    public ulong CodePa;
    /// <summary>First slot of the decoded code page that runs now.</summary>
    public Decode.Instruction* CodeSlots;
    /// <summary>First slot executed since the last taken branch.</summary>
    public Decode.Instruction* RunStart;
    /// <summary>Non-zero while PSR.ic was changed and not yet serialised (SDM vol 2, 3.2.1): interruptions then set ISR.ni.</summary>
    public uint IcInFlight;
    /// <summary>ITLB.ed of the code page that runs now.</summary>
    public uint CodeEd;
    /// <summary>The first byte of each entry of the ALAT (see <see cref="Interpret.Alat"/>), a physical address.</summary>
    public fixed ulong AlatStart[32];
    /// <summary>The address behind the last byte of each entry of the ALAT.</summary>
    public fixed ulong AlatEnd[32];
    /// <summary>The registers that the ALAT's entries are for (<see cref="Interpret.Alat.Name"/>), 0 where an entry is not valid.</summary>
    public fixed uint AlatName[32];
    /// <summary>What the loads of the ALAT's entries read, zero-extended. Kept for general registers only.</summary>
    public fixed ulong AlatValue[32];
    /// <summary>First word of the translation of the code page that runs now; 0 in physical mode.</summary>
    public ulong CodePte;
    /// <summary>Performance monitor configuration registers.</summary>
    public fixed ulong Pmc[16];
    /// <summary>Performance monitor data registers.</summary>
    public fixed ulong Pmd[16];
    /// <summary>What the counted quantity was when the monitor was last brought up to date.</summary>
    public fixed ulong PmdSeen[16];
    /// <summary>Address translation of this vCPU.</summary>
    public Mmu.MmuState* Mmu;
    /// <summary>Host address of guest physical address 0.</summary>
    public byte* MemoryBase;
    /// <summary>GCHandle of the managed <see cref="Vcpu"/> that owns this state.</summary>
    public nint Owner;

    /// <summary>The hypervisor of a paravirtualized vCPU; null where the guest has the processor to itself.</summary>
    public Hypervisor* Hypervisor;
    /// <summary>What the hypervisor keeps of this vCPU.</summary>
    public void* Hypervised;

    /// <summary>What only translated code uses.</summary>
    public Translate.CodeState Translated;

    /// <summary>Current privilege level, 0 (kernel) to 3.</summary>
    public readonly int Cpl => (int)(PsrValue >> Psr.CplShift) & 3;

    /// <summary>CFM.sof.</summary>
    public readonly int Sof => (int)Cfm & 0x7f;

    /// <summary>CFM.sol.</summary>
    public readonly int Sol => (int)(Cfm >> 7) & 0x7f;

    /// <summary>CFM.sor in registers (a multiple of 8).</summary>
    public readonly int Sor => (int)(Cfm >> 14 & 0xf) << 3;
}

/// <summary>Register access shared by all handlers. Each method is a few host instructions.</summary>
public static unsafe class Registers
{
    /// <summary>Address of GR <paramref name="r"/>, which need not be inside of the frame (such reads are undefined, not faults).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong* GrAddress(VcpuState* s, uint r)
    {
        // Both are ready before the choice, so that it is a conditional move: which it is differs from one instruction to the next.
        ulong* fixedRegisters = s->Gr;
        ulong* frame = s->FrameBase;
        return (r < 32 ? fixedRegisters : frame) + r;
    }

    /// <summary>Address of the NaT byte of GR <paramref name="r"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* NatAddress(VcpuState* s, uint r) => (r < 32 ? s->GrNat : s->FrameNat) + r;

    /// <summary>Reads GR <paramref name="r"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Gr(VcpuState* s, uint r) => *GrAddress(s, r);

    /// <summary>Reads the NaT bit of GR <paramref name="r"/>, 0 or 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Nat(VcpuState* s, uint r) => s->NatPresent == 0 ? 0u : *NatAddress(s, r);

    /// <summary>NaT of <paramref name="a"/> or <paramref name="b"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Nat(VcpuState* s, uint a, uint b) => s->NatPresent == 0 ? 0u : (uint)(*NatAddress(s, a) | *NatAddress(s, b));

    /// <summary>
    /// True when GR <paramref name="r"/> may not be a target: r0, or outside of the current frame
    /// (Illegal Operation fault; manual volume 3, check_target_register).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool BadTarget(VcpuState* s, uint r) => r - 1 >= s->GrLimit;

    /// <summary>Writes GR <paramref name="r"/> with its NaT bit (0 or 1). The target has been checked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetGr(VcpuState* s, uint r, ulong value, uint nat)
    {
        *GrAddress(s, r) = value;
        if ((s->NatPresent | nat) != 0)
        {
            s->NatPresent = 1;
            *NatAddress(s, r) = (byte)nat;
        }
    }

    /// <summary>Writes GR <paramref name="r"/> and clears its NaT bit. The target has been checked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetGr(VcpuState* s, uint r, ulong value) => SetGr(s, r, value, 0);

    /// <summary>
    /// Returns to NaT-free operation where no live register holds a NaT: static ones of both banks, the dirty ones and the current frame.
    /// What lies outside of them is undefined and becomes clean.
    /// </summary>
    public static void ForgetNat(VcpuState* s)
    {
        int dirty = Math.Max(s->Dirty, 0);
        var live = new ReadOnlySpan<byte>(s->FrameNat + 32 - dirty, dirty + s->Sof);
        bool any = live.ContainsAnyExcept((byte)0)
            || new ReadOnlySpan<byte>(s->GrNat, 32).ContainsAnyExcept((byte)0)
            || new ReadOnlySpan<byte>(s->OtherBankNat, 16).ContainsAnyExcept((byte)0);
        if (any)
            return;
        new Span<byte>(s->StackNatBuffer, VcpuAllocation.StackRegisters).Clear();
        s->NatPresent = 0;
    }

    /// <summary>Address of FR <paramref name="f"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatRegister* Fr(VcpuState* s, uint f)
    {
        var fixedRegisters = (FloatRegister*)s->FrStatic;
        FloatRegister* rotating = s->RotatingFr;
        return (f < 32 ? fixedRegisters : rotating) + f;
    }

    /// <summary>Writes FR <paramref name="f"/> (2..127, checked) and sets PSR.mfl or PSR.mfh.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetFr(VcpuState* s, uint f, FloatRegister value)
    {
        *Fr(s, f) = value;
        s->PsrValue |= f < 32 ? Psr.Mfl : Psr.Mfh;
    }

    /// <summary>Reads predicate <paramref name="p"/>, 0 or 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Pr(VcpuState* s, uint p) => (uint)(s->Pr >> (int)p) & 1;

    /// <summary>Writes predicate <paramref name="p"/> with <paramref name="value"/> (0 or 1); p0 ignores writes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetPr(VcpuState* s, uint p, uint value) => s->Pr = (s->Pr & ~(1UL << (int)p)) | ((ulong)value << (int)p) | 1;
}
