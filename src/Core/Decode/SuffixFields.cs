using System.Text;

namespace FastXen.Core.Decode;

/// <summary>The completers that end a mnemonic: from the bits into the instruction, and as text.</summary>
internal static class SuffixFields
{
    private const int Many = 8;
    private const int Clear = 16;
    private const int Important = 8;
    private const int Return = 16;

    // The assigned values of each hint; null where there is none (manual volume 3: executes as if the hint were zero).
    private static readonly string?[] LoadHints = ["", ".nt1", ".d2", ".nta", ".d4", ".d5", ".d6", ".d7"];
    private static readonly string?[] LoadUpdateHints = ["", ".nt1", null, ".nta"];
    private static readonly string?[] StoreHints = ["", ".d1", ".d2", ".nta", ".d4", ".d5", ".d6", ".d7"];
    private static readonly string?[] StoreUpdateHints = ["", null, null, ".nta"];
    private static readonly string?[] LineHints = ["", ".nt1", ".nt2", ".nta", ".d4", ".d5", ".d6", ".d7"];
    private static readonly string?[] Whether = [".sptk", ".spnt", ".dptk", ".dpnt"];
    private static readonly string?[] WhetherIndirectCall = [null, ".sptk", null, ".spnt", null, ".dptk", null, ".dpnt"];
    private static readonly string?[] WhetherPredict = [".sptk", ".loop", ".dptk", ".exit"];
    private static readonly string?[] WhetherPredictIndirect = [".sptk", null, ".dptk", null];
    private static readonly string?[] WhetherMove = [".sptk", "", ".dptk", null];

    public static void Extract(ref Instruction i, Suffix suffix, ulong bits)
    {
        int Bit(int number, int flag) => (bits >> number & 1) != 0 ? flag : 0;
        int locality = (int)(bits >> 28) & 3;
        switch (suffix)
        {
            case Suffix.StatusField: i.Selector = (byte)(bits >> 34 & 3); break;
            case Suffix.LoadHint: i.Hints = (byte)(locality | Bit(19, 4)); break;
            case Suffix.StoreHint or Suffix.LineHint: i.Hints = (byte)(locality | Bit(12, 4)); break;
            case Suffix.LoadUpdateHint or Suffix.StoreUpdateHint: i.Hints = (byte)locality; break;
            case Suffix.Branch: i.Hints = (byte)((int)(bits >> 33 & 3) | Bit(12, Many) | Bit(35, Clear)); break;
            case Suffix.BranchIndirectCall: i.Hints = (byte)((int)(bits >> 32 & 7) | Bit(12, Many) | Bit(35, Clear)); break;
            case Suffix.Predict or Suffix.PredictIndirect: i.Hints = (byte)((int)(bits >> 3 & 3) | Bit(35, Important)); break;
            case Suffix.MoveToBr: i.Hints = (byte)((int)(bits >> 20 & 3) | Bit(23, Important) | Bit(22, Return)); break;
            default: throw new InvalidOperationException($"{suffix} has no bits");
        }
    }

    /// <summary>Writes the completers; false where a hint has an unassigned value (nothing is written for it).</summary>
    public static bool Write(StringBuilder text, in Instruction i, Suffix suffix)
    {
        switch (suffix)
        {
            case Suffix.None: return true;
            case Suffix.StatusField: text.Append(".s").Append(i.Selector); return true;
            case Suffix.LoadHint: return Append(text, LoadHints[i.Hints & 7]);
            case Suffix.LoadUpdateHint: return Append(text, LoadUpdateHints[i.Hints & 3]);
            case Suffix.StoreHint: return Append(text, StoreHints[i.Hints & 7]);
            case Suffix.StoreUpdateHint: return Append(text, StoreUpdateHints[i.Hints & 3]);
            case Suffix.LineHint: return Append(text, LineHints[i.Hints & 7]);
            case Suffix.Branch: return Append(text, Whether[i.Hints & 3]) & BranchHints(text, i.Hints);
            case Suffix.BranchPlain: return BranchHints(text, i.Hints);
            case Suffix.BranchIndirectCall: return Append(text, WhetherIndirectCall[i.Hints & 7]) & BranchHints(text, i.Hints);
            case Suffix.Predict: return Append(text, WhetherPredict[i.Hints & 3]) & Importance(text, i.Hints);
            case Suffix.PredictIndirect: return Append(text, WhetherPredictIndirect[i.Hints & 3]) & Importance(text, i.Hints);
            default:
                Append(text, (i.Hints & Return) != 0 ? ".ret" : "");
                return Append(text, WhetherMove[i.Hints & 3]) & Importance(text, i.Hints);
        }
    }

    private static bool BranchHints(StringBuilder text, int hints)
        => Append(text, (hints & Many) != 0 ? ".many" : ".few") & Append(text, (hints & Clear) != 0 ? ".clr" : "");

    private static bool Importance(StringBuilder text, int hints) => Append(text, (hints & Important) != 0 ? ".imp" : "");

    private static bool Append(StringBuilder text, string? completer)
    {
        text.Append(completer);
        return completer is not null;
    }
}
