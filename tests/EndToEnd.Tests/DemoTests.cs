namespace FastXen.EndToEnd.Tests;

/// <summary>The guest that the repository contains.</summary>
public class DemoTests
{
    private static readonly string[] Tour =
    [
        "FastXen demo guest: IA-64, virtual mode, processor GenuineIntel",
        "register stack   1 + ... + 500 by recursion  125250  ok",
        "rotating loop    sum of 1..100 squared       338350  ok",
        "floating point   1/3 in billionths           333333333  ok",
        "                 as a double                 0x3fd5555555555555  ok",
        "speculation      value after recovery        42  ok",
        "translation      stored through a TLB miss   0x000000004654584e  ok",
        "                 misses handled              1  ok",
        "interval timer   interrupts taken            10  ok",
        "all passed, powering off",
    ];

    private static string[] Lines(string output) => output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    [Theory]
    [InlineData("host")]
    [InlineData("deterministic")]
    public void The_demo_takes_its_tour_and_powers_off(string clock)
    {
        (int code, string output, string errors) = FastXenProcess.Run("run", "guests/demo.json", "--clock", clock);
        Assert.Equal("", errors);
        Assert.Equal(Tour, Lines(output));
        Assert.Equal(0, code);
    }

    [Fact]
    public void The_console_can_be_a_file()
    {
        string log = Path.GetTempFileName();
        try
        {
            Assert.Equal((0, "", ""), FastXenProcess.Run("run", "guests/demo.json", "--console", log));
            Assert.Equal(Tour, Lines(File.ReadAllText(log).Replace("\r", "")));
        }
        finally
        {
            File.Delete(log);
        }
    }
}
