using FastXen.Core.Translate;

namespace FastXen.Core.Tests.Sharing;

public sealed unsafe class RegionTableTests
{
    private static RegionKey Key(int number) => new((ulong)number / 3 << 4, (ulong)(number % 5) << 12, (uint)number % 3, (uint)number % 7);

    private static RegionState* Region(int number) => (RegionState*)(16 + (nint)number * 16);

    [Fact]
    public void What_was_added_is_found_until_it_is_taken_out()
    {
        var old = new List<nint>();
        using var table = new RegionTable(old.Add);
        var expected = new Dictionary<RegionKey, nint>();
        var random = new Random(1);
        for (int step = 0; step < 200_000; step++)
        {
            RegionKey key = Key(random.Next(5000));
            if (expected.Remove(key))
            {
                table.Remove(key);
            }
            else
            {
                expected.Add(key, (nint)Region(step));
                table.Add(key, Region(step));
            }

            RegionKey other = Key(random.Next(6000));
            Assert.Equal(expected.GetValueOrDefault(other), (nint)table.Find(other));
            Assert.Equal(expected.Count, table.Count);
        }

        // Entries of what was taken out do not fill the table.
        Assert.NotEmpty(old);
        Assert.Equal(expected.Values.Order(), table.Regions().Order());
        table.Clear();
        Assert.Equal(0, table.Count);
        Assert.All(expected.Keys, key => Assert.True(table.Find(key) == null));
        old.ForEach(RegionTable.Free);
    }

    [Fact]
    public void What_stays_is_found_at_any_time_while_other_entries_come_and_go()
    {
        const int stable = 700, rounds = 40;
        var old = new List<nint>();
        using var table = new RegionTable(old.Add);
        for (int n = 0; n < stable; n++)
            table.Add(Key(n), Region(n));
        bool done = false;
        long looks = 0, wrong = 0;
        var reader = new Thread(() =>
        {
            while (!Volatile.Read(ref done) || looks < 100_000)
            {
                int number = (int)(looks++ * 31 % stable);
                if (table.Find(Key(number)) != Region(number))
                    wrong++;
                // Others: nothing, or what was made for the key.
                RegionKey other = Key(stable + number);
                if (table.Find(other) is var found && found != null && found != Region(stable + number))
                    wrong++;
            }
        });
        reader.Start();
        for (int round = 0; round < rounds; round++)
        {
            for (int n = stable; n < 4 * stable; n++)
                table.Add(Key(n), Region(n));
            for (int n = stable; n < 4 * stable; n++)
                table.Remove(Key(n));
        }

        Volatile.Write(ref done, true);
        reader.Join();
        Assert.Equal(0, wrong);
        Assert.NotEmpty(old);
        old.ForEach(RegionTable.Free);
    }
}
