using System.Security.Cryptography;
using FastXen.Core;
using FastXen.Loader.Configuration;
using FastXen.Loader.Dumps;
using FastXen.Loader.Hosting;
using FastXen.Loader.Machines;
using FastXen.Loader.Scheduling;
using FastXen.Smp;
using FastXen.Tests;
using FastXen.Xen.Memory;

namespace FastXen.Loader.Tests;

/// <summary>Two runs of a guest whose clock is deterministic end in the same state, whatever the host does meanwhile.</summary>
public sealed class DeterminismTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task One_processor()
    {
        GuestConfig guest = Config($$"""{ "memory": "96M", "kernel": "{{Guests.Demo}}", "clock": "deterministic" }""");
        (string digest, _) = await AssertSame(guest);
        // What is compared tells machines apart: a byte of memory is enough.
        Assert.NotEqual(digest, (await EndOf(guest with { CommandLine = " " }, disturbed: false)).Digest);
    }

    [KitFact]
    public Task Two_processors() => AssertSame(Config(
        $$"""
        {
          "memory": "128M", "vcpus": 2, "clock": "deterministic", "kernel": "{{Kit.File("vmlinux.gz")}}", "initrd": "{{Kit.File("initramfs.cpio.gz")}}",
          "commandLine": "quiet kit.run=/bin/true"
        }
        """));

    private static GuestConfig Config(string text) => GuestConfigReader.ParseInline(text, "/")[0];

    private static async Task<(string Digest, ulong Retired)> AssertSame(GuestConfig guest)
    {
        (string Digest, ulong Retired) left = await EndOf(guest, disturbed: false), other = await EndOf(guest with { Name = "other" }, disturbed: true);
        Assert.True(left.Retired > 0);
        Assert.Equal(left, other);
        return left;
    }

    private static async Task<(string Digest, ulong Retired)> EndOf(GuestConfig config, bool disturbed)
    {
        using Scheduler scheduler = new(disturbed ? 2 : 1);
        using PlatformGuest guest = new(config, new DomainSurroundings(scheduler, new TranslatorOptions(), () => throw new NotSupportedException(), _ => throw new NotSupportedException(), new MemoryBudget(ulong.MaxValue), Assert.Fail), Assert.Fail);
        using IGuestMachine machine = guest.PowerOn(1, new DomainConsole());
        DomainScheduling scheduling = new(scheduler, config);
        Task<VcpuStop> run = scheduling.RunAsync(machine);
        Random random = new(1);
        while (disturbed && !run.IsCompleted)
        {
            // Out at any place, and on another host thread.
            scheduling.Pause();
            scheduling.Pin(0, 1UL << random.Next(2), soft: null);
            scheduling.Unpause();
            await Task.Delay(random.Next(3));
        }
        Assert.Equal(VcpuStop.PowerOff, await run.WaitAsync(Long));
        return (Digest(machine), RetiredBy(machine));
    }

    private static unsafe ulong RetiredBy(IGuestMachine machine) => machine.Processors.Aggregate(0UL, static (sum, vcpu) => sum + vcpu.State->Retired);

    // Of all registers and memory: a core file has them.
    private static string Digest(IGuestMachine machine)
    {
        using DigestStream core = new();
        CoreDump.Write(machine, "{}", core);
        return core.Digest();
    }

    /// <summary>Takes in what is written, and where.</summary>
    private sealed class DigestStream : Stream
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public string Digest() => Convert.ToHexString(_hash.GetCurrentHash());

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            _hash.AppendData(BitConverter.GetBytes(Position));
            _hash.AppendData(buffer);
            Position += buffer.Length;
        }

        public override long Position { get; set; }

        public override bool CanRead => false;

        public override bool CanSeek => true;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override void SetLength(long value)
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            _hash.Dispose();
            base.Dispose(disposing);
        }
    }
}
