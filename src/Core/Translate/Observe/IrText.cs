using System.Globalization;
using System.Text;
using FastXen.Core.Decode;

namespace FastXen.Core.Translate;

/// <summary>The readable form of the intermediate representation.</summary>
internal static class IrText
{
    /// <summary>One instruction: predicate, operation, what it writes = what it reads, and the fields that are not 0.</summary>
    public static unsafe string Format(in IrInstruction ir)
    {
        var text = new StringBuilder();
        text.Append(ir.Qp != 0 ? $"(p{ir.Qp}) " : "");
        if (ir.Opcode == IrOpcode.Handler)
            return text.Append(CultureInfo.InvariantCulture, $"handler of {ir.Guest->Opcode}").ToString();
        text.Append(Name(ir.Opcode));
        text.Append(ir.Size != 0 ? $".{ir.Size}" : "");
        if (ir.Opcode is IrOpcode.Compare or IrOpcode.TestBit or IrOpcode.Decided)
            text.Append($".{Name(ir.Relation)}").Append(ir.Type != PredicateType.Plain ? $".{Name(ir.Type)}" : "");
        string[] written = [.. Written(ir)], read = [.. Read(ir)];
        text.Append(written.Length + read.Length != 0 ? " " : "").AppendJoin(", ", written);
        text.Append(written.Length != 0 && read.Length != 0 ? " = " : "").AppendJoin(", ", read);
        text.Append(ir.Update != Completers.None ? " with base update" : "");
        return text.ToString();
    }

    private static IEnumerable<string> Written(IrInstruction ir)
    {
        if (ir.D != 0)
            yield return Register(ir.D);
        if (ir.Opcode is IrOpcode.Compare or IrOpcode.TestBit or IrOpcode.Decided)
        {
            yield return $"p{ir.P1}";
            yield return $"p{ir.P2}";
        }
        else if (ir.Opcode is IrOpcode.MoveToBranch or IrOpcode.Call or IrOpcode.CallIndirect)
        {
            yield return $"b{ir.P1}";
        }
        else if (ir.Opcode == IrOpcode.MoveToApplication)
        {
            yield return $"ar{ir.P1}";
        }
    }

    private static IEnumerable<string> Read(IrInstruction ir)
    {
        if (ir.A != 0)
            yield return Register(ir.A);
        if (ir.B != 0)
            yield return Register(ir.B);
        if (ir.Opcode == IrOpcode.MoveFromBranch)
            yield return $"b{ir.P1}";
        if (ir.Opcode == IrOpcode.MoveFromApplication)
            yield return $"ar{ir.P1}";
        if (ir.Opcode is IrOpcode.BranchIndirect or IrOpcode.CallIndirect or IrOpcode.Return)
            yield return $"b{ir.P2}";
        if (ir.UsesImmediate || ir.Immediate != 0 || ir.Opcode is IrOpcode.Constant or IrOpcode.Branch or IrOpcode.Decided)
            yield return (long)ir.Immediate is > -4096 and < 4096 ? ((long)ir.Immediate).ToString(CultureInfo.InvariantCulture) : $"0x{ir.Immediate:x}";
        if (ir.Position != 0)
            yield return $"at {ir.Position}";
        if (ir.Length != 0)
            yield return $"length {ir.Length}";
    }

    private static string Register(int number) => number == IrInstruction.LoopCount ? "lc" : $"r{number}";

    private static string Name<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();
}
