using FastXen.Smp.Queues;

namespace FastXen.Smp.Tests.Queues;

public class TimerHeapTests
{
    [Fact]
    public void Earliest_first_and_the_last_setting_counts()
    {
        TimerHeap heap = new(64);
        Dictionary<int, long> model = [];
        Random random = new(1);
        for (int i = 0; i < 50_000; i++)
        {
            if (random.Next(3) > 0)
            {
                int vcpu = random.Next(64);
                heap.Set(vcpu, model[vcpu] = random.Next(1000));
            }
            else
            {
                long now = random.Next(1000);
                bool any = heap.TryTake(now, out int vcpu);
                Assert.Equal(model.Values.Any(due => due <= now), any);
                if (any)
                    Assert.Equal(model.Values.Min(), model[vcpu]);
                model.Remove(vcpu);
            }

            Assert.Equal(model.Count == 0 ? long.MaxValue : model.Values.Min(), heap.Next);
        }
    }
}
