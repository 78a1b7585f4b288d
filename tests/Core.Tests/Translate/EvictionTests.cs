using FastXen.Core.Lockstep;
using FastXen.Core.Tests.RandomPrograms;
using FastXen.Core.Translate;
using Xunit.Abstractions;

namespace FastXen.Core.Tests.Translate;

/// <summary>Translated code that is thrown away all the time does the same as the interpreter.</summary>
public sealed unsafe class EvictionTests(ITestOutputHelper log)
{
    // Room for the largest region, and a little more.
    private const int SmallCode = CodeArena.SmallestCodeBytes + (16 << 10);

    [Fact]
    public void Random_programs_do_the_same_while_code_is_flushed_hundreds_of_times()
    {
        TranslatorStatistics all = RunPrograms(500, new TranslatorOptions { CodeBytes = SmallCode }, done => done.Flushes >= 800);
        Assert.True(all.Links > 300, all.ToJson());
        Assert.Equal(0, all.Refused);
        // The old code's memory is given back when the vCPU has looked, not with the next generation; few programs end between the two.
        Assert.InRange(stillWaiting, 0, programs / 4);
    }

    [Theory]
    [InlineData(1200, CodeArena.MostSitesOfRegion)]
    [InlineData(CodeArena.LargestRegion, 9)]
    public void Regions_that_do_not_fit_stay_interpreted_and_are_not_tried_again(int bytes, int sites)
    {
        var options = new TranslatorOptions { CodeBytes = SmallCode, RegionBytes = bytes, RegionSites = sites };
        TranslatorStatistics all = RunPrograms(700, options, done => done.Refused >= 500);
        Assert.True(all.Regions > 100, all.ToJson());
        // Each is tried once in each generation of code, for each frame and mode: far less often than it runs.
        Assert.True(all.Refused < 64 * programs, $"{programs} programs: {all.ToJson()}");
    }

    [Fact]
    public void The_profile_survives_flushes()
    {
        for (int seed = 500, flushed = 0; flushed < 3; seed++)
        {
            using var machine = new ProgramMachine(ProgramGenerator.Make(seed), EngineKind.Translator);
            machine.Vcpu.TranslatorOptions = new TranslatorOptions { CodeBytes = SmallCode, Profile = true };
            machine.Vcpu.RunLimit = GuestProgram.Length;
            machine.Vcpu.Run();
            TranslatorStatistics statistics = machine.Vcpu.TranslatorStatistics!;
            IReadOnlyList<RegionProfile> profile = machine.Vcpu.TranslatorProfile(int.MaxValue);
            Assert.Equal(statistics.TotalHandlerCalls, profile.Sum(region => region.Handlers.Sum(pair => (long)pair.Value)));
            if (statistics.Flushes < 2)
                continue;
            flushed++;
            // Blocks that begin are counted; most of them end, and not all code is translated.
            Assert.InRange(profile.Sum(region => (double)region.ExecutedSlots) / machine.Vcpu.State->Retired, 0.1, 2);
            Assert.All(profile, region => Assert.NotEmpty(region.Guest));
            Assert.True(profile[0].ExecutedSlots >= profile[^1].ExecutedSlots);
        }
    }

    private int programs, stillWaiting;

    private TranslatorStatistics RunPrograms(int seed, TranslatorOptions options, Func<TranslatorStatistics, bool> isEnough)
    {
        TranslatorStatistics? all = null;
        for (; all is null || !isEnough(all); seed++, programs++)
        {
            GuestProgram program = ProgramGenerator.Make(seed);
            using var reference = new ProgramMachine(program, EngineKind.Interpreter);
            using var subject = new ProgramMachine(program, EngineKind.Translator);
            subject.Vcpu.TranslatorOptions = options;
            var pair = new LockstepPair(reference.Vcpu, subject.Vcpu);
            for (ulong limit = 5000; limit <= GuestProgram.Length && reference.Vcpu.StopReason == VcpuStop.None; limit += 5000)
            {
                pair.RunTo(limit);
                Assert.True(
                    StateComparison.Same(reference.Vcpu.State, subject.Vcpu.State) && pair.FirstMemoryDifference() is null,
                    $"seed {seed}, before {limit}: {string.Join("; ", pair.Differences().Take(8))}");
            }

            stillWaiting += Math.Min(subject.Vcpu.Code.Epochs.Waiting, 1);
            all = TranslatorStatistics.Sum(all, subject.Vcpu.TranslatorStatistics);
            Assert.True(programs < 1000, all?.ToJson());
        }

        log.WriteLine($"{programs} programs: {all.ToJson()}");
        return all;
    }
}
