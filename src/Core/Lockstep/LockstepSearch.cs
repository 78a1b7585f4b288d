namespace FastXen.Core.Lockstep;

/// <summary>
/// Runs pairs in lockstep by coarse strides, and where they differ runs a new pair to the last place where they did not, to find the
/// first look-point that is bad.
/// </summary>
/// <param name="start">Makes a pair in the state in which the run begins.</param>
/// <param name="stride">Instructions between two comparisons of the registers.</param>
/// <param name="memoryStride">Instructions between two comparisons of the memories.</param>
public sealed unsafe class LockstepSearch(Func<LockstepPair> start, ulong stride, ulong memoryStride)
{
    private volatile bool _cancelled;

    /// <summary>Told how far both agree, now and then.</summary>
    public Action<ulong>? Progress { get; init; }

    /// <summary>Instructions after which both agreed at the end.</summary>
    public ulong Agreed { get; private set; }

    /// <summary>Ends the search after the present stride. Any thread.</summary>
    public void Cancel() => _cancelled = true;

    /// <summary>Runs until the guest stops or the engines differ; null when they did not.</summary>
    public LockstepDifference? Run()
    {
        LockstepPair pair = start();
        ulong good = 0, memoryGood = 0;
        for (ulong limit = stride; !_cancelled && !pair.Stopped; limit = Next(pair))
        {
            if (!pair.RunTo(limit))
                return Narrow(good, null) ?? At(pair, good);
            good = Agreed = pair.Retired;
            if (good - memoryGood < memoryStride && !pair.Stopped)
                continue;
            if (pair.FirstMemoryDifference() is { } address)
                return Narrow(memoryGood, address) ?? At(pair, memoryGood);
            memoryGood = good;
            Progress?.Invoke(good);
        }

        return null;
    }

    private ulong Next(LockstepPair pair) => pair.Retired + stride;

    // What there is to say where the second run does not show it.
    private static LockstepDifference At(LockstepPair pair, ulong good) =>
        LockstepDifference.Of(pair, good, pair.Reference.State->LastIp, 0);

    // A new run: coarse to where the difference comes up, then from look-point to look-point. The word at a physical address is watched.
    private LockstepDifference? Narrow(ulong good, ulong? watched)
    {
        LockstepPair pair = start();
        for (ulong limit = stride; pair.Retired < good; limit = Next(pair))
            _ = pair.RunTo(limit);
        if (watched is not null)
        {
            // The stride in which the word becomes different.
            ulong before = good;
            ulong last = good + memoryStride + stride;
            for (ulong limit = Next(pair); before < last && !pair.Stopped && pair.RunTo(limit) && Same(pair, watched); limit = Next(pair))
                before = pair.Retired;
            return Narrow(before, watched, pair.Retired);
        }

        return Fine(pair, null, good + stride + stride);
    }

    private LockstepDifference? Narrow(ulong good, ulong? watched, ulong end)
    {
        LockstepPair pair = start();
        for (ulong limit = stride; pair.Retired < good; limit = Next(pair))
            _ = pair.RunTo(limit);
        return Fine(pair, watched, end + stride);
    }

    private static LockstepDifference? Fine(LockstepPair pair, ulong? watched, ulong end)
    {
        while (pair.Retired < end && !pair.Stopped)
        {
            ulong retired = pair.Retired;
            if (!pair.RunTo(retired + 1) || !Same(pair, watched))
                return LockstepDifference.Of(pair, retired, pair.Origin.Ip, pair.Origin.Slot);
        }

        return null;
    }

    private static bool Same(LockstepPair pair, ulong? word) =>
        word is not { } address || pair.Reference.Memory.Read<ulong>(address) == pair.Subject.Memory.Read<ulong>(address);
}
