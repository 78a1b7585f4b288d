using System.Globalization;
using System.Text;

namespace FastXen.Core.Decode;

/// <summary>Names of operands in the table and the text that stands for them, as the GNU tools write it.</summary>
internal static class OperandText
{
    private static readonly Dictionary<string, Operand> Names = new()
    {
        ["r1"] = Operand.R1,
        ["r2"] = Operand.R2,
        ["r3"] = Operand.R3,
        ["r3:2"] = Operand.R3Short,
        ["f1"] = Operand.F1,
        ["f2"] = Operand.F2,
        ["f3"] = Operand.F3,
        ["f4"] = Operand.F4,
        ["p1"] = Operand.P1,
        ["p2"] = Operand.P2,
        ["b1"] = Operand.B1,
        ["b2"] = Operand.B2,
        ["ar3"] = Operand.Ar3,
        ["cr3"] = Operand.Cr3,
        ["dahr3"] = Operand.Dahr3,
        ["[r3]"] = Operand.Memory,
        ["rr[r3]"] = Operand.Rr,
        ["dbr[r3]"] = Operand.Dbr,
        ["ibr[r3]"] = Operand.Ibr,
        ["pkr[r3]"] = Operand.Pkr,
        ["pmc[r3]"] = Operand.Pmc,
        ["pmd[r3]"] = Operand.Pmd,
        ["cpuid[r3]"] = Operand.Cpuid,
        ["dahr[r3]"] = Operand.Dahr,
        ["itr[r3]"] = Operand.Itr,
        ["dtr[r3]"] = Operand.Dtr,
        ["imm1"] = Operand.Imm1,
        ["imm8"] = Operand.Imm8,
        ["imm9b"] = Operand.Imm9Load,
        ["imm9a"] = Operand.Imm9Store,
        ["imm14"] = Operand.Imm14,
        ["imm22"] = Operand.Imm22,
        ["imm64"] = Operand.Imm64,
        ["imm2"] = Operand.ImmU2,
        ["imm16"] = Operand.ImmU16,
        ["imm19"] = Operand.ImmU19,
        ["imm21"] = Operand.ImmU21,
        ["imm24"] = Operand.ImmU24,
        ["imm62"] = Operand.ImmU62,
        ["mask17"] = Operand.Mask17,
        ["imm44"] = Operand.Imm44,
        ["inc3"] = Operand.Increment3,
        ["fclass9"] = Operand.FclassMask,
        ["cnt6"] = Operand.LineCount,
        ["stride5"] = Operand.LineStride,
        ["pos6b"] = Operand.Position6,
        ["cpos6c"] = Operand.PositionDep,
        ["cpos6b"] = Operand.PositionDepImmediate,
        ["cpos6d"] = Operand.PositionDepRegister,
        ["len4"] = Operand.Length4,
        ["len6"] = Operand.Length6,
        ["feature"] = Operand.FeatureBit,
        ["count2"] = Operand.Count2,
        ["count2m"] = Operand.Count2Multimedia,
        ["count2p"] = Operand.Count2Multiply,
        ["count5"] = Operand.Count5,
        ["ccount5"] = Operand.Count5Left,
        ["count6"] = Operand.Count6,
        ["mbtype4"] = Operand.MuxBytes,
        ["mhtype8"] = Operand.MuxHalves,
        ["amask7"] = Operand.AndMask7,
        ["omask7"] = Operand.OrMask7,
        ["sof"] = Operand.FrameSize,
        ["sol"] = Operand.LocalsSize,
        ["sor"] = Operand.RotatingSize,
        ["target25"] = Operand.TargetBranch,
        ["target25c"] = Operand.TargetCheck,
        ["target25f"] = Operand.TargetCheckF,
        ["target64"] = Operand.TargetLong,
        ["tag13"] = Operand.TagPredict,
        ["tag13m"] = Operand.TagMove,
        ["1"] = Operand.One,
        ["r0"] = Operand.Zero,
        ["ar.pfs"] = Operand.ArPfs,
        ["ar.ccv"] = Operand.ArCcv,
        ["ar.csd"] = Operand.ArCsd,
        ["ip"] = Operand.Ip,
        ["pr"] = Operand.Pr,
        ["pr.rot"] = Operand.PrRot,
        ["psr"] = Operand.Psr,
        ["psr.l"] = Operand.PsrL,
        ["psr.um"] = Operand.PsrUm,
        ["8"] = Operand.Eight,
        ["16"] = Operand.Sixteen,
    };

    private static readonly string[] Words = BuildWords();

    /// <summary>The operands of a row.</summary>
    public static Operand[] Parse(string syntax)
        => syntax.Length == 0 ? [] : Array.ConvertAll(syntax.Split(',', '='), name => Names[name]);

    /// <summary>Writes an operand of an instruction at <paramref name="address"/> (of its bundle).</summary>
    public static void Write(StringBuilder text, in Instruction i, Operand operand, ulong address)
    {
        switch (operand)
        {
            case Operand.R1: Register(text, 'r', i.R1); break;
            case Operand.R2: Register(text, 'r', i.R2); break;
            case Operand.R3 or Operand.R3Short: Register(text, 'r', i.R3); break;
            case Operand.F1: Register(text, 'f', i.R1); break;
            case Operand.F2: Register(text, 'f', i.R2); break;
            case Operand.F3: Register(text, 'f', i.R3); break;
            case Operand.F4: Register(text, 'f', i.R4); break;
            case Operand.P1: Register(text, 'p', i.P1); break;
            case Operand.P2: Register(text, 'p', i.P2); break;
            case Operand.B1: Register(text, 'b', i.R1); break;
            case Operand.B2: Register(text, 'b', i.R2); break;
            case Operand.Ar3: text.Append(ArName(i.R3)); break;
            case Operand.Cr3: text.Append(CrName(i.R3)); break;
            case Operand.Dahr3: text.Append("dahr").Append(i.R3); break;
            case >= Operand.Memory and <= Operand.Dtr:
                text.Append(Words[(int)operand].AsSpan(0, Words[(int)operand].Length - 3));
                Register(text, 'r', i.R3);
                text.Append(']');
                break;

            case Operand.Imm1 or Operand.Imm8 or Operand.Imm9Load or Operand.Imm9Store or Operand.Imm14 or Operand.Imm22
                or Operand.Increment3 or Operand.LineStride or Operand.ImmU2 or Operand.ImmU16 or Operand.ImmU19:
                text.Append((long)i.Immediate);
                break;
            case Operand.Imm64 or Operand.ImmU21 or Operand.ImmU24 or Operand.ImmU62 or Operand.Mask17 or Operand.Imm44 or Operand.FclassMask:
                Hexadecimal(text, i.Immediate);
                break;

            case Operand.Length4 or Operand.Length6 or Operand.LineCount or Operand.LocalsSize: text.Append(i.Length); break;
            case Operand.RotatingSize: text.Append(i.Selector); break;
            case >= Operand.Position6 and <= Operand.Count6 or Operand.FrameSize: text.Append(i.Position); break;
            case Operand.AndMask7: Hexadecimal(text, i.Position); break;
            case Operand.OrMask7: Hexadecimal(text, i.Length); break;
            case Operand.MuxHalves: Hexadecimal(text, i.Selector); break;
            case Operand.MuxBytes:
                switch (i.Selector)
                {
                    case 0: text.Append("@brcst"); break;
                    case 8: text.Append("@mix"); break;
                    case 9: text.Append("@shuf"); break;
                    case 10: text.Append("@alt"); break;
                    case 11: text.Append("@rev"); break;
                    default: Hexadecimal(text, i.Selector); break;
                }

                break;

            case >= Operand.TargetBranch and <= Operand.TargetLong or Operand.TagMove: Hexadecimal(text, address + i.Immediate); break;
            case Operand.TagPredict: Hexadecimal(text, address + OperandFields.PredictTag(in i)); break;
            default: text.Append(Words[(int)operand]); break;
        }
    }

    private static string[] BuildWords()
    {
        var words = new string[(int)Operand.Sixteen + 1];
        foreach (var (name, operand) in Names)
        {
            words[(int)operand] = name;
        }

        return words;
    }

    private static void Register(StringBuilder text, char file, int number) => text.Append(file).Append(number);

    private static void Hexadecimal(StringBuilder text, ulong value) => text.Append("0x").Append(value.ToString("x", CultureInfo.InvariantCulture));

    private static string ArName(int number) => number switch
    {
        < 8 => $"ar.k{number}",
        16 => "ar.rsc",
        17 => "ar.bsp",
        18 => "ar.bspstore",
        19 => "ar.rnat",
        21 => "ar.fcr",
        24 => "ar.eflag",
        25 => "ar.csd",
        26 => "ar.ssd",
        27 => "ar.cflg",
        28 => "ar.fsr",
        29 => "ar.fir",
        30 => "ar.fdr",
        32 => "ar.ccv",
        36 => "ar.unat",
        40 => "ar.fpsr",
        44 => "ar.itc",
        45 => "ar.ruc",
        64 => "ar.pfs",
        65 => "ar.lc",
        66 => "ar.ec",
        _ => $"ar{number}",
    };

    private static string CrName(int number) => number switch
    {
        0 => "cr.dcr",
        1 => "cr.itm",
        2 => "cr.iva",
        8 => "cr.pta",
        16 => "cr.ipsr",
        17 => "cr.isr",
        19 => "cr.iip",
        20 => "cr.ifa",
        21 => "cr.itir",
        22 => "cr.iipa",
        23 => "cr.ifs",
        24 => "cr.iim",
        25 => "cr.iha",
        26 => "cr.iib0",
        27 => "cr.iib1",
        64 => "cr.lid",
        65 => "cr.ivr",
        66 => "cr.tpr",
        67 => "cr.eoi",
        >= 68 and <= 71 => $"cr.irr{number - 68}",
        72 => "cr.itv",
        73 => "cr.pmv",
        74 => "cr.cmcv",
        80 => "cr.lrr0",
        81 => "cr.lrr1",
        _ => $"cr{number}",
    };
}
