using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using FastXen.Loader.Configuration;
using FastXen.Loader.Dumps;
using FastXen.Loader.Hosting;
using FastXen.Loader.Xen;
using FastXen.Tests;
using FastXen.Xen.Memory;

namespace FastXen.Loader.Tests;

/// <summary>A core file, read as ELF.</summary>
public sealed class CoreDumpTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Host _host = new();

    public void Dispose()
    {
        _host.StopAsync(TimeSpan.Zero).Wait();
        _host.Dispose();
        _folder.Dispose();
    }

    /// <summary>One that a toolstack built has its memory where the toolstack put it.</summary>
    [Fact]
    public async Task A_toolstacks_domain_has_its_memory_too()
    {
        (HostedDomain domain, ToolstackGuest guest) = _host.CreateEmpty(0, "a test");
        DomainMemory memory = guest.Machine!.Domain.Memory;
        memory.Maximum = 64;
        foreach (ulong gpfn in (ulong[])[0, 5, 40]) Assert.True(memory.Populate(gpfn));
        Assert.True(memory.TryWrite(5 << Frame.Shift, 0x1234_5678_9abc_def0UL));
        _host.Xen.Control!.SetVcpus(guest.Machine.Domain, 1);
        string file = Path.Combine(_folder.Path, "core");
        while (!TryDump(domain, file)) await Task.Delay(1);
        byte[] core = File.ReadAllBytes(file);
        (uint type, long place, ulong address, ulong size) = Header(core, 1);
        Assert.Equal((1u, 0UL, 41UL << Frame.Shift), (type, address, size));
        Assert.Equal(0x1234_5678_9abc_def0UL, BinaryPrimitives.ReadUInt64LittleEndian(core.AsSpan((int)place + (5 << Frame.Shift))));
        JsonElement described = JsonDocument.Parse(Notes(core)[(CoreDump.Owner, CoreDump.DomainNote)]).RootElement;
        Assert.Equal((3L << Frame.Shift, 1), (described.GetProperty("memoryBytes").GetInt64(), described.GetProperty("vcpus").GetInt32()));
    }

    // It begins to run on another thread.
    private static bool TryDump(HostedDomain domain, string file)
    {
        try
        {
            domain.Domain.DumpCore(file);
            return true;
        }
        catch (HostException)
        {
            return false;
        }
    }

    [Fact]
    public async Task It_has_the_guests_memory_and_its_processors_registers()
    {
        HostedDomain domain = _host.Create(GuestConfigReader.ParseInline($$"""{ "name": "guest", "memory": "96M", "kernel": "{{Guests.Idle}}" }""", "/")[0]);
        byte[] banner = new byte[4];
        await domain.Console.OpenReader().ReadAsync(banner);
        string file = Path.Combine(_folder.Path, "core");
        domain.Domain.DumpCore(file);
        Assert.NotEqual(DomainState.Paused, domain.State);
        byte[] core = File.ReadAllBytes(file);

        Assert.Equal("\u007fELF"u8, core.AsSpan(0, 4));
        Assert.Equal((4, 50), (BinaryPrimitives.ReadUInt16LittleEndian(core.AsSpan(16)), BinaryPrimitives.ReadUInt16LittleEndian(core.AsSpan(18))));
        Assert.Equal(2, BinaryPrimitives.ReadUInt16LittleEndian(core.AsSpan(56)));
        (uint type, long place, ulong address, ulong size) = Header(core, 1);
        Assert.Equal((1u, 0UL, 96UL << 20), (type, address, size));
        Assert.Equal(core.Length, place + (long)size);

        // The kernel's text lies where its ELF file says.
        byte[] kernel = File.ReadAllBytes(Guests.Idle);
        int text = BinaryPrimitives.ReadInt32LittleEndian(kernel.AsSpan(64 + 8)), physical = BinaryPrimitives.ReadInt32LittleEndian(kernel.AsSpan(64 + 24));
        Assert.Equal(kernel.AsSpan(text, 0x1000), core.AsSpan((int)place + physical, 0x1000));

        Dictionary<(string, int), byte[]> notes = Notes(core);
        JsonElement described = JsonDocument.Parse(notes[(CoreDump.Owner, CoreDump.DomainNote)]).RootElement;
        Assert.Equal(("guest", 1), (described.GetProperty("name").GetString(), described.GetProperty("vcpus").GetInt32()));
        byte[] status = notes[("CORE", 1)];
        Assert.Equal((1144, 1), (status.Length, BinaryPrimitives.ReadInt32LittleEndian(status.AsSpan(32))));
        ulong Register(int n) => BinaryPrimitives.ReadUInt64LittleEndian(status.AsSpan(112 + 8 * n));
        Assert.Equal(0UL, Register(0));
        Assert.Equal(1UL, Register(33) & 1);
        // Waiting in firmware, which the guest maps at 0xa000000300000000, or running.
        Assert.Equal(0xa000UL, Register(42) >> 48);
        byte[] floating = notes[("CORE", 2)];
        Assert.Equal((1UL << 63, 0xffffu), (BinaryPrimitives.ReadUInt64LittleEndian(floating.AsSpan(16)), BinaryPrimitives.ReadUInt32LittleEndian(floating.AsSpan(24))));
        byte[] system = notes[(CoreDump.Owner, CoreDump.SystemNote)];
        // cr2 is IVA: the start of the kernel.
        Assert.Equal(0xa000000100000000UL, BinaryPrimitives.ReadUInt64LittleEndian(system.AsSpan(8 * (1 + 2))));
        int stacked = (int)BinaryPrimitives.ReadUInt64LittleEndian(system.AsSpan(8 * 265));
        Assert.Equal(8 * (267 + stacked) + stacked, system.Length);
    }

    [Fact]
    public void What_cannot_be_written_is_said()
    {
        HostedDomain domain = _host.Create(GuestConfigReader.ParseInline($$"""{ "memory": "96M", "kernel": "{{Guests.Idle}}" }""", "/")[0]);
        Assert.Contains("the core cannot be written", Assert.Throws<HostException>(() => domain.Domain.DumpCore("/none/core")).Message);
    }

    private static (uint Type, long Place, ulong Address, ulong Size) Header(byte[] core, int index)
    {
        ReadOnlySpan<byte> header = core.AsSpan(64 + 56 * index);
        return (BinaryPrimitives.ReadUInt32LittleEndian(header), BinaryPrimitives.ReadInt64LittleEndian(header[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(header[24..]), BinaryPrimitives.ReadUInt64LittleEndian(header[32..]));
    }

    private static Dictionary<(string, int), byte[]> Notes(byte[] core)
    {
        (uint type, long place, _, ulong size) = Header(core, 0);
        Assert.Equal(4u, type);
        Dictionary<(string, int), byte[]> notes = [];
        ReadOnlySpan<byte> rest = core.AsSpan((int)place, (int)size);
        while (rest.Length > 0)
        {
            int name = BinaryPrimitives.ReadInt32LittleEndian(rest), length = BinaryPrimitives.ReadInt32LittleEndian(rest[4..]);
            string owner = Encoding.ASCII.GetString(rest.Slice(12, name - 1));
            int contents = 12 + (name + 3) / 4 * 4;
            notes.Add((owner, BinaryPrimitives.ReadInt32LittleEndian(rest[8..])), rest.Slice(contents, length).ToArray());
            rest = rest[(contents + (length + 3) / 4 * 4)..];
        }
        return notes;
    }
}
