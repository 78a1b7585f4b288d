using System.Runtime.InteropServices;
using FastXen.Core.Decode;

namespace FastXen.Core.Translate;

/// <summary>One operation of the intermediate representation.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IrInstruction
{
    /// <summary>The register number that stands for AR.LC among D, A and B.</summary>
    public const byte LoopCount = 128;

    /// <summary>Registers that D, A and B can name.</summary>
    public const int Registers = 129;

    /// <summary>The guest's slot.</summary>
    public Instruction* Guest;

    /// <summary>Immediate operand, displacement of a branch.</summary>
    public ulong Immediate;

    /// <summary>Number of the slot in its page, 0 to 767.</summary>
    public short Slot;

    /// <summary>What it does.</summary>
    public IrOpcode Opcode;

    /// <summary>Qualifying predicate; 0 where it is always executed.</summary>
    public byte Qp;

    /// <summary>Register that is written, 0 for none.</summary>
    public byte D;

    /// <summary>First source.</summary>
    public byte A;

    /// <summary>Second source.</summary>
    public byte B;

    /// <summary>First predicate that is written; branch or application register of the moves.</summary>
    public byte P1;

    /// <summary>Second predicate that is written.</summary>
    public byte P2;

    /// <summary>Bytes of the operation.</summary>
    public byte Size;

    /// <summary>Relation of a compare; for TestBit Equal means "bit is 0".</summary>
    public Relation Relation;

    /// <summary>How predicates are written.</summary>
    public PredicateType Type;

    /// <summary>Bit position or shift count.</summary>
    public byte Position;

    /// <summary>Field length.</summary>
    public byte Length;

    /// <summary>Base update of a memory operation.</summary>
    public Completers Update;

    /// <summary>True where Immediate takes the place of B.</summary>
    public bool UsesImmediate;

    /// <summary>True where A and B may hold NaTs, with which the handler does the instruction, and D loses its own.</summary>
    public bool TestsNat;

    /// <summary>True when A is also written: base updates.</summary>
    public readonly bool WritesBase => Update != Completers.None;

    /// <summary>True when it may write any predicate.</summary>
    public readonly bool WritesManyPredicates => Opcode is IrOpcode.Handler or IrOpcode.MoveToPredicates or IrOpcode.SetRotatingPredicates;

    /// <summary>True when it may leave what it writes as it was, or needs the value before.</summary>
    public readonly bool KeepsOldValues => Qp != 0 || Opcode is IrOpcode.RotatingLoop or IrOpcode.CheckLoad || (Opcode == IrOpcode.FloatLoad && P1 >= (byte)FloatLoadForm.CheckClear);

    /// <summary>True when control may leave the translated code here for a handler.</summary>
    public readonly bool MayLeave => (TestsNat && (A | B) != 0) || IsSystem || Opcode is IrOpcode.Handler or IrOpcode.Load or IrOpcode.Store or IrOpcode.Fill or IrOpcode.Spill
        or IrOpcode.AdvancedLoad or IrOpcode.CheckLoad or IrOpcode.CheckAdvanced or IrOpcode.DropAllAdvanced
        or IrOpcode.MoveFromPredicates or IrOpcode.MoveToPredicates or IrOpcode.SetRotatingPredicates
        or IrOpcode.MoveFromStack or IrOpcode.MoveToStack or IrOpcode.MoveToKernel
        or IrOpcode.MoveToRsc or IrOpcode.MoveFromPsr or IrOpcode.DisableInterrupts or IrOpcode.TouchedLine
        or IrOpcode.Alloc or IrOpcode.Exchange or IrOpcode.CompareExchange or IrOpcode.FetchAdd or IrOpcode.MoveToApplication
        or IrOpcode.Float or IrOpcode.FloatCompare or IrOpcode.FloatLoad or IrOpcode.FloatStore or IrOpcode.RotatingLoop or IrOpcode.Call or IrOpcode.CallIndirect or IrOpcode.Return or IrOpcode.PageEnd;

    /// <summary>As <see cref="MayLeave"/>, of control instructions.</summary>
    private readonly bool IsSystem => Opcode is IrOpcode.SwitchBank or IrOpcode.MoveToControl or IrOpcode.SystemMask or IrOpcode.Cover or IrOpcode.Break;

    /// <summary>True when the block ends behind it.</summary>
    public readonly bool EndsBlock => Opcode >= IrOpcode.Branch;
}
