using FastXen.Loader.Configuration;
using FastXen.Loader.Hosting;
using FastXen.Loader.Xen;
using FastXen.Tests;
using FastXen.Xen;
using FastXen.Xen.Memory;
using FastXen.Xen.Toolstack;

namespace FastXen.Loader.Tests;

/// <summary>What all domains of a host may have together.</summary>
public sealed class MemoryLimitTests : IDisposable
{
    private const ulong Megabyte = 1 << 20, Limit = 240 * Megabyte;

    private readonly Host _host = new() { MemoryLimit = Limit };

    public void Dispose() => _host.Dispose();

    private HostedDomain Start(string name) => _host.Create(GuestConfigReader.ParseInline(
        $$"""{ "name": "{{name}}", "memory": "96M", "kernel": "{{Guests.Idle}}" }""", "/")[0]);

    private static async Task End(HostedDomain domain)
    {
        domain.Destroy();
        await domain.Ended.WaitAsync(TimeSpan.FromMinutes(10));
    }

    [Fact]
    public async Task A_domain_that_does_not_fit_is_refused_until_another_one_is_gone()
    {
        HostedDomain first = Start("first");
        Start("second");
        string problem = Assert.Throws<OutOfBudgetException>(() => Start("third")).Message;
        Assert.Equal("third cannot have 96M of memory: the domains of this host may have 240M in all (--memory-limit), 192M are taken", problem);
        Assert.Equal(2, _host.Domains.Count);
        await End(first);
        Assert.Equal("third", Start("third").Name);
        await _host.StopAsync(TimeSpan.Zero);
        Assert.Equal(0UL, _host.Budget.Used);
    }

    [Fact]
    public async Task What_cannot_be_made_takes_nothing()
    {
        Assert.ThrowsAny<LoadException>(() => _host.Create(GuestConfigReader.ParseInline("""{ "memory": "96M", "kernel": "/no/such/kernel" }""", "/")[0]));
        Assert.Equal(0UL, _host.Budget.Used);
        await _host.StopAsync(TimeSpan.Zero);
    }

    [Fact]
    public async Task A_toolstacks_domains_count_with_what_they_have()
    {
        Start("first");
        ulong left = Limit - 96 * Megabyte;
        IDomainControl control = _host.Xen.Control!;
        Assert.Equal((Limit >> Frame.Shift, left >> Frame.Shift), (control.Resources.TotalFrames, control.Resources.FreeFrames));
        (HostedDomain made, ToolstackGuest guest) = _host.CreateEmpty(0, "a test");
        left -= ToolstackGuest.HostMemory;
        Assert.Equal(left >> Frame.Shift, control.Resources.FreeFrames);
        DomainMemory memory = guest.Machine!.Domain.Memory;
        // max_mem may say what it likes.
        memory.Maximum = 1 << 20;
        ulong frames = 0;
        while (memory.Populate(frames)) frames++;
        Assert.Equal((left >> Frame.Shift, 0UL), (frames, control.Resources.FreeFrames));
        Assert.Equal(-Errno.ENOMEM, control.Create(new DomainRequest(), out _));
        Assert.True(memory.Release(0));
        Assert.Equal(1UL, control.Resources.FreeFrames);
        Assert.False(memory.PopulateExtent(frames, 2));
        Assert.Equal(1UL, control.Resources.FreeFrames);
        // One that somebody else still uses is not free.
        Assert.True(TryPin(memory, 1));
        Assert.True(memory.Release(1));
        Assert.Equal(1UL, control.Resources.FreeFrames);
        memory.Unpin(1);
        Assert.Equal(2UL, control.Resources.FreeFrames);
        await End(made);
        Assert.Equal(Limit - 96 * Megabyte >> Frame.Shift, control.Resources.FreeFrames);
        await _host.StopAsync(TimeSpan.Zero);
        Assert.Equal(0UL, _host.Budget.Used);
    }

    private static unsafe bool TryPin(DomainMemory memory, ulong gpfn) => memory.TryPin(gpfn, out _);
}
