using FastXen.Smp.Queues;

namespace FastXen.Smp.Tests.Queues;

public class RunQueueTests
{
    [Fact]
    public void First_in_first_out_over_many_turns_of_the_ring()
    {
        RunQueue queue = new(16);
        Queue<int> model = new();
        Random random = new(1);
        HashSet<int> free = [.. Enumerable.Range(0, 16)];
        for (int i = 0; i < 100_000; i++)
        {
            if (random.Next(2) == 0 && free.Count > 0)
            {
                int index = free.ElementAt(random.Next(free.Count));
                free.Remove(index);
                queue.Enqueue(index);
                model.Enqueue(index);
            }
            else if (model.TryDequeue(out int expected))
            {
                Assert.Equal(expected, queue.Dequeue());
                free.Add(expected);
            }
            else
            {
                Assert.Equal(RunQueue.Empty, queue.Dequeue());
            }

            ulong position = 0;
            if (i % 100 == 0)
                Assert.Equal(model, Peeked());
            Assert.Equal(model.Count > 0, queue.Peek(ref position, out _));

            IEnumerable<int> Peeked()
            {
                ulong at = 0;
                while (queue.Peek(ref at, out int index))
                    yield return index;
            }
        }
    }

    [Theory]
    [InlineData(8)]
    [InlineData(24)]
    public void Capacity_is_a_power_of_two(int capacity) => Assert.Throws<ArgumentOutOfRangeException>(() => new RunQueue(capacity));

    // Each thread takes a number from one queue and puts it into the other: all numbers are in exactly one place at each time.
    [Fact]
    public void Nothing_is_lost_or_doubled_among_threads()
    {
        const int Numbers = 16, Threads = 4, Moves = 20_000;
        RunQueue[] queues = [new(16), new(16)];
        int[] owner = new int[Numbers];
        int doubled = 0;
        for (int i = 0; i < Numbers; i++)
            queues[i % 2].Enqueue(i);
        Parallel.Invoke([.. Enumerable.Range(0, Threads).Select(thread => (Action)(() =>
        {
            Random random = new(thread);
            for (int moves = 0; moves < Moves;)
            {
                int index = queues[random.Next(2)].Dequeue();
                if (index == RunQueue.Empty)
                    continue;
                if (Interlocked.Exchange(ref owner[index], 1) != 0)
                    Interlocked.Increment(ref doubled);
                moves++;
                Volatile.Write(ref owner[index], 0);
                queues[random.Next(2)].Enqueue(index);
            }
        }))]);
        List<int> left = [];
        foreach (RunQueue queue in queues)
        {
            for (int index; (index = queue.Dequeue()) != RunQueue.Empty;)
                left.Add(index);
        }

        Assert.Equal(0, doubled);
        Assert.Equal(Enumerable.Range(0, Numbers), left.Order());
    }

    // One consumer; of each producer's numbers those that it entered earlier come out earlier.
    [Fact]
    public void Each_producer_keeps_its_order()
    {
        const int Producers = 3, Each = 64, Rounds = 100;
        RunQueue queue = new(256);
        for (int round = 0; round < Rounds; round++)
        {
            int[] next = new int[Producers];
            Parallel.Invoke([Consume, .. Enumerable.Range(0, Producers).Select(producer => (Action)(() =>
            {
                for (int i = 0; i < Each; i++)
                    queue.Enqueue(producer * Each + i);
            }))]);

            void Consume()
            {
                for (int taken = 0; taken < Producers * Each;)
                {
                    int index = queue.Dequeue();
                    if (index == RunQueue.Empty)
                        continue;
                    Assert.Equal(next[index / Each]++, index % Each);
                    taken++;
                }
            }
        }
    }
}
