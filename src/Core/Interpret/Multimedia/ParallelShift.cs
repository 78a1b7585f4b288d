using static FastXen.Core.Interpret.Multimedia.Lanes;

namespace FastXen.Core.Interpret.Multimedia;

/// <summary>Parallel shifts (SDM vol 3: pshl, pshr). Counts beyond the lane's width act as the width.</summary>
internal static class ParallelShift
{
    internal static ulong Left2(ulong x, ulong count) => count > 15 ? 0 : Low(U2(x) << (int)count);

    internal static ulong Left4(ulong x, ulong count) => count > 31 ? 0 : Low(U4(x) << (int)count);

    internal static ulong Right2(ulong x, ulong count) => Low(S2(x) >> (int)ulong.Min(count, 15));

    internal static ulong Right4(ulong x, ulong count) => Low(S4(x) >> (int)ulong.Min(count, 31));

    internal static ulong Right2U(ulong x, ulong count) => count > 15 ? 0 : Low(U2(x) >> (int)count);

    internal static ulong Right4U(ulong x, ulong count) => count > 31 ? 0 : Low(U4(x) >> (int)count);
}
