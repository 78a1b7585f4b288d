using FastXen.Core.Interpret.Multimedia;
using static FastXen.Core.Tests.Multimedia.LaneModel;

namespace FastXen.Core.Tests.Multimedia;

public class ParallelShiftTests
{
    public static TheoryData<ulong> Counts => [0, 1, 7, 15, 16, 17, 31, 32, 33, 63, 64, 1UL << 32, ulong.MaxValue];

    [Theory]
    [MemberData(nameof(Counts))]
    public void Counts_beyond_the_lane_act_as_its_width(ulong count)
    {
        int c2 = (int)ulong.Min(count, 16), c4 = (int)ulong.Min(count, 32);
        foreach (ulong x in Edges)
        {
            Assert.Equal(Map(16, false, false, x, 0, (a, _) => a << c2), ParallelShift.Left2(x, count));
            Assert.Equal(Map(32, false, false, x, 0, (a, _) => a << c4), ParallelShift.Left4(x, count));
            Assert.Equal(Map(16, true, false, x, 0, (a, _) => a >> c2), ParallelShift.Right2(x, count));
            Assert.Equal(Map(32, true, false, x, 0, (a, _) => a >> c4), ParallelShift.Right4(x, count));
            Assert.Equal(Map(16, false, false, x, 0, (a, _) => a >> c2), ParallelShift.Right2U(x, count));
            Assert.Equal(Map(32, false, false, x, 0, (a, _) => a >> c4), ParallelShift.Right4U(x, count));
        }
    }
}
