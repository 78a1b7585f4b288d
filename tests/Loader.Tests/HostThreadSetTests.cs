using FastXen.Loader.Configuration;

namespace FastXen.Loader.Tests;

public class HostThreadSetTests
{
    [Theory]
    [InlineData("all", ulong.MaxValue)]
    [InlineData("0", 1)]
    [InlineData("0-3,5", 0b101111)]
    [InlineData("0-7,^2", 0b11111011)]
    [InlineData("^1-2, 0-3", 0b1001)]
    [InlineData("63", 1UL << 63)]
    [InlineData("0-63", ulong.MaxValue)]
    public void Sets_are_written_as_in_Xen(string text, ulong set)
    {
        Assert.True(HostThreadSet.TryParse(text, out ulong read));
        Assert.Equal(set, read);
        Assert.True(HostThreadSet.TryParse(HostThreadSet.Format(set, 64), out ulong again));
        Assert.Equal(set, again);
    }

    [Theory]
    [InlineData("")]
    [InlineData("64")]
    [InlineData("-1")]
    [InlineData("1-")]
    [InlineData("3-2")]
    [InlineData("1-2-3")]
    [InlineData("1,,2")]
    [InlineData("^0")]
    [InlineData("1,^1")]
    [InlineData("none")]
    public void Others_are_refused(string text) => Assert.False(HostThreadSet.TryParse(text, out _));
}
