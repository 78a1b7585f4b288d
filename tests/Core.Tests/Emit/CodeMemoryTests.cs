using System.Globalization;
using FastXen.Core.Emit;

namespace FastXen.Core.Tests.Emit;

public sealed unsafe class CodeMemoryTests
{
    private readonly record struct Mapping(ulong First, ulong End, string Flags);

    /// <summary>The kernel's own word on the memory of this process.</summary>
    private static IEnumerable<Mapping> Mappings() => File.ReadAllLines("/proc/self/maps").Select(line =>
    {
        string[] fields = line.Split(' ');
        ulong[] range = [.. fields[0].Split('-').Select(x => ulong.Parse(x, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
        return new Mapping(range[0], range[1], fields[1]);
    });

    private static string Protection(byte* address) => Mappings().Single(m => m.First <= (ulong)address && (ulong)address < m.End).Flags;

    [Fact]
    public void Nothing_is_both_writable_and_executable()
    {
        using var memory = new CodeMemory(100_000);
        Assert.Equal(102_400, memory.Size);
        foreach (long offset in (long[])[0, memory.Size - 1])
        {
            Assert.Equal("rw-s", Protection(memory.Writable + offset));
            Assert.Equal("r-xs", Protection(memory.Executable + offset));
        }

        memory.Writable[memory.Size - 1] = 0x5a;
        Assert.Equal(0x5a, memory.Executable[memory.Size - 1]);
    }

    [Fact]
    public void Disposing_gives_both_mappings_back()
    {
        // No other test has any of this size, should one get the same addresses.
        var memory = new CodeMemory(1 << 30);
        var ranges = new[] { (nint)memory.Writable, (nint)memory.Executable }.Select(a => ((ulong)a, (ulong)a + (1 << 30))).ToHashSet();
        Assert.Equal(2, Mappings().Count(m => ranges.Contains((m.First, m.End))));
        memory.Dispose();
        memory.Dispose();
        Assert.Equal(0, Mappings().Count(m => ranges.Contains((m.First, m.End))));
    }

    [Theory]
    [InlineData(0)]
    [InlineData((1L << 30) + 1)]
    public void Sizes_out_of_reach_are_refused(long size) => Assert.Throws<ArgumentOutOfRangeException>(() => new CodeMemory(size));

    [Fact]
    public void What_the_processor_lacks_is_what_the_kernel_says()
    {
        string[] flags = File.ReadLines("/proc/cpuinfo").First(line => line.StartsWith("flags", StringComparison.Ordinal)).Split(' ');
        // Names of the kernel for what is asked; abm is LZCNT.
        (string Flag, string Name)[] needed = [("avx2", "AVX2"), ("bmi1", "BMI1"), ("bmi2", "BMI2"), ("abm", "LZCNT"), ("popcnt", "POPCNT"), ("fma", "FMA")];
        string[] lacking = [.. needed.Where(n => !flags.Contains(n.Flag)).Select(n => n.Name)];
        string? missing = HostFeatures.Missing();
        Assert.Equal(lacking.Length == 0 ? null : $"The host processor lacks {string.Join(", ", lacking)}, which translated code needs.", missing);
    }
}
