using FastXen.Core;
using FastXen.Core.State;
using FastXen.Events;
using FastXen.Mmu;
using FastXen.Platform.AcpiPm;
using FastXen.Platform.Block;
using FastXen.Platform.Boot;
using FastXen.Platform.Firmware;
using FastXen.Platform.Iosapic;
using FastXen.Platform.LocalSapic;
using FastXen.Platform.Net;
using FastXen.Platform.Pci;
using FastXen.Platform.Ports;
using FastXen.Platform.Uart;
using FastXen.Platform.Virtio;

namespace FastXen.Platform;

/// <summary>
/// The virtual Itanium machine, put together: memory, a processor, firmware, interrupt controllers, a UART, a PCI root with
/// virtio devices. It lives from one power-on to the next reset or power-off; a reboot makes a new one over the same backends.
/// </summary>
public sealed unsafe class PlatformMachine : IInterruptSink, IDisposable
{
    private readonly Uart16550 uart;
    private readonly PowerManagement power;
    private readonly List<VirtioPciFunction> functions = [];

    /// <summary>Builds the machine; it is in the reset state.</summary>
    public PlatformMachine(PlatformConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        Memory = new PhysicalMemory(MachineMap.RamSpan(configuration.Memory));
        foreach ((ulong start, ulong size) in MachineMap.Ram(configuration.Memory))
            Memory.AddRam(start, size);
        Processor = new Vcpu(Memory, configuration.Deterministic) { Engine = configuration.Engine, TranslatorOptions = configuration.Translator };

        TimeProvider time = configuration.Deterministic ? new MachineTime(Processor) : configuration.Time;
        var iosapic = new IosapicController(MachineMap.IosapicInputs, this);
        Memory.AddMmio(MachineMap.Iosapic, MachineMap.IosapicSize, iosapic);
        Memory.AddMmio(MachineMap.LocalSapic, MachineMap.LocalSapicSize, new ProcessorInterruptBlock(this));

        var ports = new PortSpace();
        Memory.AddMmio(MachineMap.PortSpace, MachineMap.PortSpaceSize, ports);
        uart = new Uart16550(MachineMap.UartPort, iosapic.Line(MachineMap.UartGsi), configuration.Console, configuration.Deterministic);
        ports.Add(MachineMap.UartPort, 8, uart);
        power = new PowerManagement(
            time, iosapic.Line(MachineMap.SciGsi), () => Processor.RequestStop(VcpuStop.PowerOff), () => Processor.RequestStop(VcpuStop.Reboot));
        ports.Add(MachineMap.PmEventPort, MachineMap.PmPortCount, power);

        var pci = new PciRoot(iosapic);
        Memory.AddMmio(MachineMap.PciMemory, MachineMap.PciMemorySize, pci);
        foreach (DiskDevice disk in configuration.Disks)
            Plug(pci, new VirtioBlock(disk.Backend, disk.Serial), configuration.Deterministic);
        foreach (NetworkDevice network in configuration.Networks)
            Plug(pci, new VirtioNet(network.Backend, network.Address), configuration.Deterministic);
        Plug(pci, configuration.Deterministic ? new VirtioRng(seed: 1) : new VirtioRng(), configuration.Deterministic);
        pci.Reset();

        Firmware = new MachineFirmware(Memory, [Processor], new FirmwareConfiguration
        {
            RamSize = configuration.Memory,
            Pci = pci,
            Variables = configuration.Variables,
            Time = time,
            Report = configuration.Report,
        });
        Report = configuration.Report;
    }

    /// <summary>The physical address space.</summary>
    public PhysicalMemory Memory { get; }

    /// <summary>The processor.</summary>
    public Vcpu Processor { get; }

    /// <summary>Firmware services and tables.</summary>
    public MachineFirmware Firmware { get; }

    private Action<string> Report { get; }

    /// <summary>Puts the processor at the entry of a kernel that is in memory.</summary>
    public void Boot(DirectBootImage image) => DirectBoot.Prepare(Memory, Firmware, image);

    /// <summary>Runs until the guest powers off, reboots, halts or crashes, or <see cref="RequestStop"/> is called.</summary>
    public VcpuStop Run()
    {
        VcpuStop reason;
        string? crash;
        try
        {
            reason = Processor.Run();
            crash = Processor.CrashReason;
        }
#pragma warning disable CA1031 // An invariant of the engine or of a device broke: this domain ends with a dump, the process does not.
        catch (Exception e)
#pragma warning restore CA1031
        {
            reason = VcpuStop.Crashed;
            crash = $"internal error: {e}";
        }

        uart.Flush();
        if (reason == VcpuStop.Crashed && crash is not null)
            Report($"{crash}{Environment.NewLine}{StateDump.Of(Processor.State)}");
        return reason;
    }

    /// <summary>Stops the machine from outside. Any thread.</summary>
    public void RequestStop() => Processor.RequestStop(VcpuStop.Requested);

    /// <summary>Presses the power button. False when no driver of the guest listens to it. Any thread.</summary>
    public bool PressPowerButton() => power.PressPowerButton();

    /// <summary>Pulls the reset line: the machine stops to be made anew. Any thread.</summary>
    public void RequestReset() => Processor.RequestStop(VcpuStop.Reboot);

    /// <inheritdoc/>
    public void Post(int id, int eid, int deliveryMode, byte vector)
    {
        // Fixed delivery and ExtINT reach IRR; PMI and INIT have no taker in this firmware, NMI is vector 2.
        bool here = Processor.State != null && (Processor.State->Cr[Cr.Lid] >> 16 & 0xFFFF) == (ulong)((id << 8) | eid);
        if (!here)
            return;
        switch (deliveryMode)
        {
            case 0:
                if (vector >= 16)
                    Processor.PostInterrupt(vector);
                break;
            case 4:
                Processor.PostInterrupt(2);
                break;
            case 7:
                Processor.PostInterrupt(0);
                break;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (VirtioPciFunction function in functions)
            function.Dispose();
        uart.Dispose();
        Processor.Dispose();
        Memory.Dispose();
    }

    private void Plug(PciRoot pci, VirtioDevice device, bool synchronous)
    {
        var function = new VirtioPciFunction(device, Memory, this, synchronous);
        functions.Add(function);
        pci.Add(function);
    }
}
