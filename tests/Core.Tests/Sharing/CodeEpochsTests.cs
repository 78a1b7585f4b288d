using FastXen.Core.Sharing;
using FastXen.Core.State;

namespace FastXen.Core.Tests.Sharing;

public sealed unsafe class CodeEpochsTests
{
    [Fact]
    public void Memory_is_free_when_every_vcpu_that_runs_has_looked()
    {
        var epochs = new CodeEpochs();
        VcpuState* runs = VcpuAllocation.Allocate(), waits = VcpuAllocation.Allocate();
        try
        {
            var freed = new List<nint>();
            epochs.Add(runs);
            epochs.Add(waits);
            CodeEpochs.Enter(runs);
            epochs.Retire(freed.Add, 1);
            epochs.Reclaim();
            // Its epoch has not even begun.
            Assert.Empty(freed);
            epochs.Begin();
            Assert.Empty(freed);
            Assert.NotEqual(0UL, runs->Translated.Stale);

            CodeEpochs.CatchUp(runs);
            Assert.Equal(0UL, runs->Translated.Stale);
            epochs.Reclaim();
            Assert.Equal([1], freed);

            // The other one finds out when it begins to run, and holds things up from then on.
            Assert.NotEqual(0UL, waits->Translated.Stale);
            CodeEpochs.Enter(waits);
            Assert.Equal(0UL, waits->Translated.Stale);
            epochs.Retire(freed.Add, 2);
            epochs.Begin();
            CodeEpochs.CatchUp(runs);
            epochs.Retire(freed.Add, 3);
            epochs.Begin();
            CodeEpochs.CatchUp(runs);
            epochs.Reclaim();
            Assert.Equal([1], freed);
            CodeEpochs.Leave(waits);
            epochs.Reclaim();
            Assert.Equal([1, 2, 3], freed);
        }
        finally
        {
            VcpuAllocation.Free(runs);
            VcpuAllocation.Free(waits);
        }
    }
}
