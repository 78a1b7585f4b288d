namespace FastXen.Xen.Tests.Toolstack;

/// <summary>A privileged domain with a toolstack of one generation, on a host whose domains nobody runs.</summary>
internal sealed unsafe class ToolstackDomain : IDisposable
{
    public const ulong Buffer = 0x1_0000, BigBuffer = 0x4_0000;

    private const ulong Union = 16, SysctlUnion = 8;

    public ToolstackDomain(uint domctl)
    {
        Version = domctl;
        Host = new XenHost();
        Control = new FakeControl(Host);
        Host.Control = Control;
        Dom0 = new Hypercaller(Host, 0, isPrivileged: true);
    }

    public uint Version { get; }

    public uint SysctlVersion => Version == 5 ? 3u : 9;

    public XenHost Host { get; }

    public FakeControl Control { get; }

    public Hypercaller Dom0 { get; }

    public ushort LastDomain { get; private set; }

    /// <summary>domctl with an operation's structure as words; <see cref="Result"/> reads what is in it afterwards.</summary>
    public long Domctl(uint command, ushort domain, params ReadOnlySpan<ulong> words)
    {
        Dom0.Put<ulong>(Hypercaller.Argument, (ulong)Version << 32 | command, domain);
        Dom0.Put<ulong>(Hypercaller.Argument + Union, new ulong[16]);
        Dom0.Put(Hypercaller.Argument + Union, words);
        long result = Dom0.Call(36, Hypercaller.At(Hypercaller.Argument));
        LastDomain = Dom0.Get<ushort>(Hypercaller.Argument + 8);
        return result;
    }

    public long Sysctl(uint command, params ReadOnlySpan<ulong> words)
    {
        Dom0.Put(Hypercaller.Argument, (ulong)SysctlVersion << 32 | command);
        Dom0.Put<ulong>(Hypercaller.Argument + SysctlUnion, new ulong[16]);
        Dom0.Put(Hypercaller.Argument + SysctlUnion, words);
        return Dom0.Call(35, Hypercaller.At(Hypercaller.Argument));
    }

    /// <summary>A value of domctl's structure.</summary>
    public T Result<T>(ulong offset) where T : unmanaged => Dom0.Get<T>(Hypercaller.Argument + Union + offset);

    /// <summary>A value of sysctl's structure.</summary>
    public T SysctlResult<T>(ulong offset) where T : unmanaged => Dom0.Get<T>(Hypercaller.Argument + SysctlUnion + offset);

    /// <summary>Makes a domain with a vCPU and 64 frames of memory.</summary>
    public XenDomain Create(uint vcpus = 1)
    {
        Assert.Equal(0, Domctl(1, 0, 0, 0, 0));
        ushort id = LastDomain;
        XenDomain domain = Host.Directory.Find(id)!;
        Assert.Equal(0, Domctl(15, id, vcpus));
        Assert.Equal(0, Domctl(11, id, 1024));
        for (ulong k = 0; k < 64; k++)
            Dom0.Put(BigBuffer + 8 * k, k);
        Dom0.Put<ulong>(Buffer, Hypercaller.At(BigBuffer), 64, 0, id);
        Assert.Equal(64, Dom0.Call(12, 6, Hypercaller.At(Buffer)));
        return domain;
    }

    /// <summary>Writes into another domain's memory through a foreign mapping, as privcmd does.</summary>
    public void Write(XenDomain domain, ulong address, ReadOnlySpan<byte> bytes)
    {
        const ulong Window = 0x10_0000;
        const int Size = 1 << 14;
        while (bytes.Length > 0)
        {
            int offset = (int)(address & (Size - 1)), part = Math.Min(Size - offset, bytes.Length);
            Assert.Equal(0, Dom0.Call(48, 9, Window, address >> 14, 0, domain.Id));
            bytes[..part].CopyTo(new Span<byte>(Dom0.Memory.Lookup(Window).Host + offset, part));
            Assert.Equal(0, Dom0.Call(48, 5, Window, 0));
            address += (uint)part;
            bytes = bytes[part..];
        }
    }

    public void Dispose()
    {
        foreach (XenDomain domain in Host.Directory.All.ToList())
            Host.MachineOf(domain)?.Dispose();
    }
}
