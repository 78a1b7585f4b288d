using System.Numerics;
using FastXen.Core.Interpret;
using FastXen.Xen.Firmware;
using FastXen.Xen.Memory;
using FastXen.Xen.Processor;
using FastXen.Xen.Xenstore;

namespace FastXen.Xen.Migration;

/// <summary>A domain as it came out of a file, ready to run: its guest sees that it is in a new domain. See docs/xen-save.md.</summary>
/// <param name="Machine">The domain. Its vCPUs go on when they run.</param>
/// <param name="StoreFrame">Frame of xenstore's ring.</param>
/// <param name="StorePort">The guest's port of its xenstore channel, for domain 0.</param>
/// <param name="ConsoleFrame">Frame of the console's ring; 0 where it has none.</param>
/// <param name="ConsolePort">The guest's port of its console channel, for domain 0; 0 where it has none.</param>
/// <param name="Demand">What it was asked for.</param>
public sealed record RestoredDomain(ParavirtualMachine Machine, ulong StoreFrame, int StorePort, ulong ConsoleFrame, int ConsolePort, DomainDemand Demand);

/// <summary>Saves a domain that has suspended itself to a stream, and makes a new domain of one (docs/xen-save.md).</summary>
public static unsafe class SavedDomain
{
    /// <summary>Version of the format.</summary>
    public const uint Version = 2;

    private const int FramesOfRecord = 64;
    private const int PendingOffset = 0xc00, PendingSize = 0x200, StartInfoFrameOffset = 0x1010;
    private const ulong StoreFrameOffset = 0x38, StorePortOffset = 0x40, ConsoleFrameOffset = 0x48, ConsolePortOffset = 0x50;
    private static readonly byte[] Magic = "FastXen saved\n\0\0"u8.ToArray();

    /// <summary>Writes a domain. <see cref="InvalidOperationException"/>: it has not suspended itself, has devices on the PCI bus, or maps memory of others.</summary>
    public static void Save(ParavirtualMachine machine, Stream to)
    {
        ArgumentNullException.ThrowIfNull(machine);
        ArgumentNullException.ThrowIfNull(to);
        if (machine.ShutdownReason != ShutdownReason.Suspend || machine.Vcpus.Any(static vcpu => vcpu.Processor.RunsGuest))
            throw new InvalidOperationException($"domain {machine.Domain.Id} has not suspended itself");
        if (machine.HasPciDevices)
            throw new InvalidOperationException($"domain {machine.Domain.Id} has devices on the PCI bus");
        DomainMemory memory = machine.Domain.Memory;
        ulong time = Clock.Time(machine.Vcpus[0].Processor.State);
        to.Write(Magic);
        var record = new RecordWriter();
        record.U32(Version).U32((uint)machine.Vcpus.Count).U64(machine.Configuration.Memory).U64(memory.ArenaFrames << Frame.Shift).U64((ulong)memory.Maximum);
        FirmwareServices firmware = machine.Firmware;
        record.U64(machine.WindowVa).U64(firmware.Rendezvous?.Entry ?? 0).U64(firmware.Rendezvous?.Gp ?? 0).U32(firmware.Rendezvous is null ? 0u : 1)
            .U32(firmware.IsVirtual ? 1u : 0).U64(firmware.Tables.FunctionDescriptors).U64(firmware.Tables.FpswaPointer);
        DomainDemand demand = DomainDemand.Of(machine.Hypervisor.Store.Server, machine.Domain.Id, machine.Configuration.Memory);
        record.U64(demand.Memory).U64(demand.Vcpus);
        record.End(to, "dom ");
        foreach (ParavirtualVcpu vcpu in machine.Vcpus)
        {
            SavedVcpu.Write(record, vcpu, machine.Configuration.Deterministic ? Clock.Time(vcpu.Processor.State) : time);
            record.End(to, "vcpu");
        }

        record.Bytes(new ReadOnlySpan<byte>(machine.SharedInfo, (int)Frame.Size)).End(to, "shin");
        WriteMemory(memory, record, to);
        record.End(to, "end ");
    }

    /// <summary>
    /// Makes a domain of what <see cref="Save"/> wrote: <paramref name="configure"/> completes what the file says of memory and vCPUs. Its event channels are those of the
    /// store and of the console only, and its grant table is empty, as on every Xen. <see cref="InvalidDataException"/>: that is no such file.
    /// </summary>
    public static RestoredDomain Restore(XenHost host, ushort id, Func<ParavirtualConfiguration, ParavirtualConfiguration> configure, Stream from)
    {
        ArgumentNullException.ThrowIfNull(configure);
        ArgumentNullException.ThrowIfNull(from);
        Span<byte> magic = stackalloc byte[Magic.Length];
        if (from.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false) != magic.Length || !magic.SequenceEqual(Magic))
            throw new InvalidDataException("not a saved domain");
        RecordReader record = Expect(from, "dom ");
        if (record.U32() is not Version and var version)
            throw new InvalidDataException($"a saved domain of version {version}; expected {Version}");
        uint vcpus = record.Below(XenDomain.MaximumVcpus + 1);
        ulong bytes = record.U64(), span = record.U64(), maximum = record.U64();
        record.Check(vcpus > 0 && bytes <= span && span % Frame.Size == 0 && span >> 46 == 0 && maximum <= span >> Frame.Shift);
        var machine = new ParavirtualMachine(host, id, configure(new ParavirtualConfiguration
        {
            Memory = bytes,
            MaximumMemory = span,
            Populate = false,
            Vcpus = (int)vcpus,
        }));
        try
        {
            machine.Domain.Memory.Maximum = (long)maximum;
            machine.WindowVa = record.U64();
            var rendezvous = (Entry: record.U64(), Gp: record.U64(), IsSet: record.U32() != 0);
            machine.Firmware.Restore(rendezvous.IsSet ? new(rendezvous.Entry, rendezvous.Gp) : null, record.U32() != 0, new FirmwareTables(record.U64(), record.U64()));
            return Fill(machine, vcpus, new DomainDemand(record.U64(), record.U64()), from);
        }
        catch
        {
            machine.Dispose();
            throw;
        }
    }

    private static RestoredDomain Fill(ParavirtualMachine machine, uint vcpus, DomainDemand demand, Stream from)
    {
        ulong time = Clock.Time(machine.Vcpus[0].Processor.State);
        ulong window = machine.WindowVa;
        for (int n = 0; n < vcpus; n++)
        {
            RecordReader record = Expect(from, "vcpu");
            record.Check(record.U32() == (uint)n);
            // The first one moves the window to where it is at a start.
            SavedVcpu.Read(record, machine.Vcpus[n], machine.Configuration.Deterministic ? Clock.Time(machine.Vcpus[n].Processor.State) : time);
            machine.WindowVa = window;
            machine.Vcpus[n].MoveWindow();
        }

        // Nothing is pending in a domain without channels; masks stay.
        Expect(from, "shin").Bytes(new Span<byte>(machine.SharedInfo, (int)Frame.Size));
        new Span<byte>(machine.SharedInfo + PendingOffset, PendingSize).Clear();
        foreach (ParavirtualVcpu vcpu in machine.Vcpus)
            (vcpu.State->Info->UpcallPending, vcpu.State->Info->PendingSelector) = (0, 0);
        DomainMemory memory = machine.Domain.Memory;
        for (RecordReader record = RecordReader.Next(from); record.Tag != "end "; record = RecordReader.Next(from))
        {
            if (record.Tag != "mem ")
                throw new InvalidDataException($"the saved domain has a record '{record.Tag}'; expected 'mem ' or 'end '");
            ReadMemory(memory, record);
        }

        return Connect(machine, demand);
    }

    // The builder's part of a restore: start_info names the new ports.
    private static RestoredDomain Connect(ParavirtualMachine machine, DomainDemand demand)
    {
        DomainMemory memory = machine.Domain.Memory;
        ulong startInfo = *(ulong*)(machine.SharedInfo + StartInfoFrameOffset) << Frame.Shift;
        if (!memory.TryRead(startInfo + StoreFrameOffset, out ulong storeFrame) || !memory.TryRead(startInfo + ConsoleFrameOffset, out ulong consoleFrame))
            throw new InvalidDataException("the saved domain's start_info is not in its memory");
        // In the order in which they were: kernels of the time go on with the number of their store's port.
        if (!memory.TryRead(startInfo + StorePortOffset, out uint oldStore) || !memory.TryRead(startInfo + ConsolePortOffset, out uint oldConsole))
            throw new InvalidDataException("the saved domain's start_info is not in its memory");
        int storePort = 0, consolePort = 0;
        if (oldStore < oldConsole)
            storePort = machine.Domain.EventChannels.AllocateUnbound(0);
        if (consoleFrame != 0)
            consolePort = machine.Domain.EventChannels.AllocateUnbound(0);
        if (storePort == 0)
            storePort = machine.Domain.EventChannels.AllocateUnbound(0);
        memory.TryWrite(startInfo + StorePortOffset, (uint)storePort);
        memory.TryWrite(startInfo + ConsolePortOffset, (uint)consolePort);
        return new RestoredDomain(machine, storeFrame, storePort, consoleFrame, consolePort, demand);
    }

    // First frame; a bit for each frame that is in the domain, and one for each that has content; the content.
    private static void WriteMemory(DomainMemory memory, RecordWriter record, Stream to)
    {
        for (ulong first = 0; first < memory.ArenaFrames; first += FramesOfRecord)
        {
            ulong present = 0, content = 0;
            for (int k = 0; k < FramesOfRecord && first + (ulong)k < memory.ArenaFrames; k++)
            {
                P2mEntry entry = memory.Lookup(first + (ulong)k);
                if (entry.Kind == FrameKind.Hole)
                    continue;
                if (entry.Kind != FrameKind.Ram)
                    throw new InvalidOperationException($"the domain has memory of another at frame 0x{first + (ulong)k:x}");
                present |= 1UL << k;
                if (new ReadOnlySpan<byte>(entry.Host, (int)Frame.Size).ContainsAnyExcept((byte)0))
                    content |= 1UL << k;
            }

            if (present == 0)
                continue;
            record.U64(first).U64(present).U64(content);
            for (; content != 0; content &= content - 1)
                record.Bytes(new ReadOnlySpan<byte>(memory.Lookup(first + (ulong)BitOperations.TrailingZeroCount(content)).Host, (int)Frame.Size));
            record.End(to, "mem ");
        }
    }

    private static void ReadMemory(DomainMemory memory, RecordReader record)
    {
        ulong first = record.U64(), present = record.U64(), content = record.U64();
        record.Check((content & ~present) == 0);
        for (; present != 0; present &= present - 1)
        {
            ulong bit = present & (0 - present), gpfn = first + (ulong)BitOperations.TrailingZeroCount(present);
            record.Check(memory.Populate(gpfn));
            if ((content & bit) != 0)
                record.Bytes(new Span<byte>(memory.Lookup(gpfn).Host, (int)Frame.Size));
        }
    }

    private static RecordReader Expect(Stream from, string tag)
    {
        RecordReader record = RecordReader.Next(from);
        return record.Tag == tag ? record : throw new InvalidDataException($"the saved domain has a record '{record.Tag}'; expected '{tag}'");
    }
}
