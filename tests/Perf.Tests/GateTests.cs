using FastXen.Perf.Measure;
using FastXen.Tests;

namespace FastXen.Perf.Tests;

/// <summary>What the gate lets pass.</summary>
public class GateTests
{
    private static readonly HostMachine Machine = new("a processor", 2, "a kernel", 0.5);

    private static Report Code(double ratio, double noise) => new(DateTime.UnixEpoch, Machine)
    {
        Code =
        [
            new EngineResult(
                "translator", 5, 1000, [new GroupResult("integer", 2, 0.01, ratio, "sieve", Bars.OfGroup("integer"))], [new WorkloadResult("integer", "sieve", 1, 1 / ratio, ratio, noise)]),
        ],
    };

    private static Report Kernel(double ratio, int rounds) => new(DateTime.UnixEpoch, Machine)
    {
        Kernel = [new KernelResult("translator", rounds, [new PathResult("system_call", ratio, 1, ratio, 0.05, 8)], 1, 1, 1, 1, "PASS", 1)],
    };

    private static Report Counted(string counter, double count) => new(DateTime.UnixEpoch, Machine)
    {
        Counted = new CountedReport("translator", [new CountedResult("sieve", 1, new Dictionary<string, Count> { [counter] = new(count, 0) })]),
    };

    [Theory]
    [InlineData(4.0, true)]
    [InlineData(4.5, true)]      // the noise of both: 5 % and 10 %
    [InlineData(4.59, true)]
    [InlineData(4.61, false)]
    [InlineData(3.0, true)]
    public void A_ratio_may_be_worse_by_the_noise_of_both(double now, bool passes) => Assert.Equal(passes, Gate.Passes(Code(now, 0.05), Code(4, 0.10)));

    [Theory]
    [InlineData(8.0, 3, true)]
    [InlineData(9.0, 3, false)]
    [InlineData(9.0, 1, true)]      // no noise is known of a single boot; the code's ratio is compared all the same
    public void A_path_is_compared_where_its_noise_is_known(double now, int rounds, bool passes)
    {
        Report report = Kernel(now, rounds), baseline = Kernel(8, 3);
        report.Code = baseline.Code = Code(4, 0.1).Code;
        Assert.Equal(passes, Gate.Passes(report, baseline));
    }

    [Theory]
    [InlineData("hostInstructions", 101_900, true)]
    [InlineData("hostInstructions", 102_100, false)]
    [InlineData("retiredSlots", 102_100, false)]
    [InlineData("valgrindInstructions", 102_100, false)]
    [InlineData("somethingElse", 200_000, true)]
    public void A_count_of_work_may_grow_by_two_percent(string counter, double now, bool passes)
    {
        Report report = Counted(counter, now), baseline = Counted(counter, 100_000);
        report.Code = baseline.Code = Code(4, 0.1).Code;
        Assert.Equal(passes, Gate.Passes(report, baseline));
    }

    [Theory]
    [InlineData(new[] { 2.0, 3.0, 2.2 }, 0.1)]
    [InlineData(new[] { 2.0, 2.5 }, 0.25)]
    [InlineData(new[] { 2.0 }, 0)]
    [InlineData(new[] { 0.0, 0.0 }, 0)]
    public void Noise_is_the_way_from_the_least_round_to_the_median(double[] rounds, double noise) => Assert.Equal(noise, Spread.Of(rounds), 4);

    [Theory]
    [InlineData("valgrindInstructions", true)]
    [InlineData("retiredSlots", false)]
    public void Only_slots_are_compared_with_another_engine(string counter, bool passes)
    {
        Report report = Counted(counter, 200_000), baseline = Counted(counter, 100_000);
        report.Code = baseline.Code = Code(4, 0.1).Code;
        baseline.Counted = baseline.Counted! with { Engine = "interpreter" };
        Assert.Equal(passes, Gate.Passes(report, baseline));
    }

    [Fact]
    public void A_baseline_of_something_else_does_not_pass() => Assert.False(Gate.Passes(Code(4, 0.1), Kernel(8, 3)));

    [Fact]
    public void A_result_is_read_as_it_was_written()
    {
        string file = Path.GetTempFileName();
        try
        {
            Report report = Code(4, 0.05);
            report.Save(file);
            Assert.Equal(report.Code![0].Workloads, Report.Load(file).Code![0].Workloads);
            Assert.Null(Report.Load(file).Kernel);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void The_committed_baseline_has_every_part()
    {
        Report baseline = Report.Load(Path.Combine(Kit.Repository, "perf", "baseline.json"));
        Assert.Equal(15, baseline.Code![0].Workloads.Count);
        Assert.Equal(15, baseline.Counted!.Workloads.Count);
        Assert.Equal(6, baseline.Kernel![0].Paths.Count);
        Assert.True(Gate.Passes(baseline, baseline));
    }
}
