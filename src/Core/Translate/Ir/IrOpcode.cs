namespace FastXen.Core.Translate;

/// <summary>
/// Operations of the intermediate representation: guest instructions with their spellings removed (one Add for the three that add an
/// immediate, one Compare for all relations). Operands are guest registers; D is written, A and B are read.
/// </summary>
internal enum IrOpcode : byte
{
    /// <summary>Nothing (nops, hints, checks that cannot fail in NaT-free state).</summary>
    Nop,

    /// <summary>The interpreter's handler does the instruction.</summary>
    Handler,

    // D = Immediate; D = A.
    Constant, Move,

    // D = A op B, or A op Immediate.
    Add, AddImmediate, Subtract, And, AndImmediate, Or, OrImmediate, Xor, XorImmediate,

    /// <summary>D = Immediate - A.</summary>
    SubtractFrom,

    /// <summary>D = A &amp; ~B.</summary>
    AndNot,

    /// <summary>D = Immediate &amp; ~A.</summary>
    NotAndImmediate,

    /// <summary>D = A + B + 1.</summary>
    AddPlusOne,

    /// <summary>D = A - B - 1.</summary>
    SubtractMinusOne,

    /// <summary>D = (A &lt;&lt; Position) + B.</summary>
    ShiftAdd,

    /// <summary>D = the 32-bit pointer (A &lt;&lt; Position) + B, base B.</summary>
    Pointer4,

    /// <summary>D = the 32-bit pointer Immediate + A, base A.</summary>
    Pointer4Immediate,

    // D = A shifted by B.
    ShiftLeft, ShiftRight, ShiftRightUnsigned,

    /// <summary>D = low word of (A:B) &gt;&gt; Position.</summary>
    ShiftPair,

    // D = bits of A from Position, Length of them.
    Extract, ExtractSigned,

    /// <summary>D = low Length bits of A, at Position, zeros elsewhere.</summary>
    DepositZero,

    /// <summary>D = B with low Length bits of A at Position.</summary>
    Deposit,

    /// <summary>D = A with low Length bits of Immediate at Position.</summary>
    DepositImmediate,

    // D = A from Size bytes.
    ZeroExtend, SignExtend,

    PopulationCount, LeadingZeros,

    /// <summary>P1, P2 from A relation B (or Immediate where UsesImmediate), of Size bytes.</summary>
    Compare,

    /// <summary>P1, P2 from bit Position of A.</summary>
    TestBit,

    /// <summary>P1, P2 from a relation whose outcome is Immediate (0 or 1).</summary>
    Decided,

    /// <summary>D = memory[A], Size bytes, zero-extended.</summary>
    Load,

    /// <summary>memory[A] = B, Size bytes.</summary>
    Store,

    /// <summary>ld8.fill.</summary>
    Fill,

    /// <summary>st8.spill.</summary>
    Spill,

    /// <summary>ld.a, ld.sa: as <see cref="Load"/>, with an entry of the ALAT for D.</summary>
    AdvancedLoad,

    /// <summary>ld.c: as <see cref="Load"/> where D has no entry of the ALAT. UsesImmediate: the entry is dropped, else there is one afterwards.</summary>
    CheckLoad,

    /// <summary>chk.a of the register P1 (a floating-point one where P2 is 1). UsesImmediate: the entry is dropped.</summary>
    CheckAdvanced,

    /// <summary>invala.e of the register P1 (a floating-point one where P2 is 1).</summary>
    DropAdvanced,

    /// <summary>invala.</summary>
    DropAllAdvanced,

    /// <summary>chk.s of A: only that A is looked at (<see cref="IrInstruction.TestsNat"/>).</summary>
    CheckSpeculation,

    /// <summary>Only the base update of A (lfetch, a check load that hits).</summary>
    UpdateBase,

    /// <summary>A multimedia operation: D from A (r2) and B (r3); the guest's instruction says which.</summary>
    Packed,

    // D = predicates; predicates = A under the mask Immediate; rotating predicates = Immediate.
    MoveFromPredicates, MoveToPredicates, SetRotatingPredicates,

    /// <summary>D = AR.BSP.</summary>
    BackingStorePointer,

    /// <summary>D = AR.BSPSTORE or AR.RNAT (P1).</summary>
    MoveFromStack,

    /// <summary>AR.BSPSTORE or AR.RNAT (P1) = A.</summary>
    MoveToStack,

    /// <summary>A kernel register (P1) = A.</summary>
    MoveToKernel,

    // AR.RSC, AR.EC = A, or Immediate where UsesImmediate.
    MoveToRsc, MoveToEc,

    /// <summary>srlz.d, srlz.i.</summary>
    Serialize,

    /// <summary>D = PSR.</summary>
    MoveFromPsr,

    /// <summary>rsm psr.i.</summary>
    DisableInterrupts,

    /// <summary>lfetch.fault: the access at A is looked at, and A is updated.</summary>
    TouchedLine,

    /// <summary>A floating-point operation; its registers are those of the guest's instruction, D and A general ones.</summary>
    Float,

    /// <summary>fcmp: P1, P2.</summary>
    FloatCompare,

    /// <summary>Loads of floating-point registers.</summary>
    FloatLoad,

    /// <summary>Stores of floating-point registers.</summary>
    FloatStore,

    // Branch registers: P1 = number.
    MoveToBranch, MoveFromBranch,

    /// <summary>Application register P1 = A, or Immediate where UsesImmediate.</summary>
    MoveToApplication,

    /// <summary>D = application register P1.</summary>
    MoveFromApplication,

    /// <summary>alloc.</summary>
    Alloc,

    // Semaphores.
    Exchange, CompareExchange, FetchAdd, Fence,

    /// <summary>bsw.</summary>
    SwitchBank,

    // Control registers: P1 = number.
    MoveFromControl, MoveToControl,

    /// <summary>Control goes on in the next page: a look at what is due, and at the page's translation.</summary>
    PageEnd,

    // Control.
    Branch, CountedLoop, RotatingLoop, BranchIndirect, Call, CallIndirect, Return,

    /// <summary>ssm, rsm.</summary>
    SystemMask,

    /// <summary>cover.</summary>
    Cover,

    /// <summary>A break for which a hypervisor may have host code (<see cref="BreakCode"/>).</summary>
    Break,
}

/// <summary>Relations of A to B.</summary>
internal enum Relation : byte
{
    Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual, Below, BelowEqual, Above, AboveEqual,
}

/// <summary>How a relation is written to two predicates.</summary>
internal enum PredicateType : byte
{
    Plain, Unconditional, And, Or, OrAndcm,
}
