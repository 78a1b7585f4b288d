using System.Buffers.Binary;
using FastXen.Core;
using FastXen.Platform.Firmware;
using FastXen.Platform.Firmware.Efi;
using FastXen.Platform.Firmware.Pal;
using FastXen.Platform.Firmware.Sal;
using FastXen.Xen.Processor;

namespace FastXen.Xen.Firmware;

/// <summary>What SetVirtualAddressMap changes in the guest's memory: the runtime services' function descriptors, and the pointer to FPSWA's. Guest addresses; 0: there are none.</summary>
internal readonly record struct FirmwareTables(ulong FunctionDescriptors, ulong FpswaPointer);

/// <summary>PAL, SAL and EFI of a paravirtualized domain: what differs from the platform's.</summary>
internal sealed class FirmwareServices(ParavirtualMachine machine)
{
    /// <summary>Frequency of AR.ITC in Hz: with any other mini-os, which divides by it in whole numbers, has no clock.</summary>
    public const ulong ItcFrequency = 1_000_000_000;

    private const ulong BaseFrequency = 200_000_000, ProcessorFrequency = 1_600_000_000;

    private const ulong LastTranslationRegister = VirtualTlb.Registers - 1;
    private readonly EfiVariableServices _variables = new(machine.Configuration.Variables);
    private readonly Lock _gate = new();
    private PalServices? _pal;
    private bool _virtualMode;
    private volatile BootRendezvous? _rendezvous;

    /// <summary>Where application processors start; null before the guest said so.</summary>
    public BootRendezvous? Rendezvous => _rendezvous;

    /// <summary>The firmware's tables in guest memory; set by who builds the domain.</summary>
    public FirmwareTables Tables { get; set; }

    /// <summary>SetVirtualAddressMap was called.</summary>
    public bool IsVirtual => _virtualMode;

    /// <summary>The state of a domain that was saved.</summary>
    public void Restore(BootRendezvous? rendezvous, bool isVirtual, FirmwareTables tables)
    {
        _rendezvous = rendezvous;
        _virtualMode = isVirtual;
        Tables = tables;
    }

    // Made when all vCPUs are there.
    private PalServices Platform => _pal ??= new PalServices(machine.Arena, [.. machine.Vcpus.Select(vcpu => vcpu.Processor)]);

    /// <summary>PAL's procedure r28; true for one of the stacked convention.</summary>
    public bool Pal(ServiceCall call, ParavirtualVcpu vcpu)
    {
        ulong index = call.Static(28);
        switch ((PalProcedure)index)
        {
            case PalProcedure.VmSummary:
                // vw, 44 physical address bits, 16 key bits, 15 the last PKR, hash tag 0x30, 11 the last TRs, 3 unique TCs in 2 levels.
                call.Result(PalStatus.Success, 1ul | 44 << 1 | 16 << 8 | 15 << 16 | 0x30ul << 24 | LastTranslationRegister << 32
                    | LastTranslationRegister << 40 | 3ul << 48 | 2ul << 56, 50ul | (ulong)ParavirtualState.RidBits << 8);
                return false;
            case PalProcedure.FreqRatios:
                call.Result(PalStatus.Success, Ratio(ProcessorFrequency), Ratio(BaseFrequency), Ratio(ItcFrequency));
                return false;
            case PalProcedure.FreqBase:
                call.Result(PalStatus.Success, BaseFrequency);
                return false;
            case PalProcedure.HaltLight:
                vcpu.Block();
                call.Result(PalStatus.Success);
                return false;
            case PalProcedure.Halt or PalProcedure.Shutdown:
                vcpu.TakeDown();
                call.Result(PalStatus.Success);
                return false;
            case PalProcedure.VmTrRead or PalProcedure.LogicalToPhysical or PalProcedure.GetPstate or PalProcedure.CacheSharedInfo
                or PalProcedure.CopyInfo or PalProcedure.CopyPal or PalProcedure.CacheLineInit:
                call.Result(PalStatus.Unimplemented);
                return index >= 256;
            case PalProcedure.CacheFlush:
                call.Vcpu.FlushTranslations();
                call.Result(PalStatus.Success);
                return false;
            default:
                return Platform.Call(call) == FirmwareReturn.Return;
        }
    }

    /// <summary>SAL's procedure in0.</summary>
    public void Sal(ServiceCall call, ParavirtualVcpu vcpu)
    {
        const ulong Return = 0x0200_0000;
        ulong index = call.In(0), a1 = call.In(1);
        switch ((SalProcedure)index)
        {
            case SalProcedure.SetVectors:
                if (a1 == 2)
                    _rendezvous = new BootRendezvous(call.In(2), call.In(3));
                call.Result(SalStatus.Success);
                return;
            case SalProcedure.GetStateInfo or SalProcedure.GetStateInfoSize:
                call.Result(SalStatus.NoInformation);
                return;
            case SalProcedure.CacheFlush:
                call.Vcpu.FlushTranslations();
                call.Result(SalStatus.Success);
                return;
            case SalProcedure.FreqBase:
                call.Result(a1 <= 1 ? SalStatus.Success : SalStatus.InvalidArgument, a1 == 0 ? BaseFrequency : ItcFrequency);
                return;
            case SalProcedure.PciConfigRead when machine.Pci is { } pci:
                PciConfigCalls.Read(pci.ConfigSpace, call);
                return;
            case SalProcedure.PciConfigWrite when machine.Pci is { } pci:
                PciConfigCalls.Write(pci.ConfigSpace, call);
                return;
            case SalProcedure.ClearStateInfo or SalProcedure.McRendez or SalProcedure.McSetParams or SalProcedure.CacheInit
                or SalProcedure.PciConfigRead or SalProcedure.PciConfigWrite:
                call.Result(SalStatus.Success);
                return;
            default:
                if (index == Return)
                    vcpu.TakeDown();
                call.Result(index == Return ? SalStatus.Success : SalStatus.Unimplemented);
                return;
        }
    }

    /// <summary>EFI's runtime service by its place in the table.</summary>
    public void Efi(ServiceCall call, int service) => call.Result(service switch
    {
        0 => machine.Hypervisor.Clock.GetTime(call, machine.Domain.TimeOffset),
        4 => SetVirtualAddressMap(call),
        9 => Reset((uint)call.In(0)),
        _ => machine.Domain.IsPrivileged ? EfiOfMachine(call, service) : EfiStatus.Unsupported,
    });

    // dom0 has the machine's clock and variables. What it sets is the time of all domains.
    private long EfiOfMachine(ServiceCall call, int service) => service switch
    {
        1 => machine.Hypervisor.Clock.SetTime(call),
        2 => machine.Hypervisor.Clock.GetWakeupTime(call),
        5 => _variables.GetVariable(call),
        6 => _variables.GetNextVariableName(call),
        7 => _variables.SetVariable(call),
        _ => EfiStatus.Unsupported,
    };

    // Numerator and denominator.
    private static ulong Ratio(ulong frequency) => frequency / BaseFrequency << 32 | 1;

    // The stub page is where the guest wants PAL's code; the tables stay.
    private long SetVirtualAddressMap(ServiceCall call)
    {
        const int Descriptor = 40;
        ulong size = call.In(0), map = call.In(3);
        lock (_gate)
        {
            FirmwareTables tables = Tables;
            if (_virtualMode || tables.FunctionDescriptors == 0)
                return EfiStatus.Unsupported;
            if (call.In(1) != Descriptor || (uint)call.In(2) != EfiMemoryMap.DescriptorVersion || size > 0x1_0000)
                return EfiStatus.InvalidParameter;
            Span<byte> bytes = stackalloc byte[Descriptor];
            for (ulong at = 0; at + Descriptor <= size; at += Descriptor)
            {
                if (!call.Vcpu.TryRead(map + at, bytes))
                    return EfiStatus.InvalidParameter;
                if (BinaryPrimitives.ReadUInt32LittleEndian(bytes) != (uint)EfiMemoryType.PalCode)
                    continue;
                ulong code = BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]);
                for (int service = 0; service < FirmwareLayout.EfiServiceCount; service++)
                    machine.Domain.Memory.TryWrite(tables.FunctionDescriptors + 16 * (ulong)service, code + FirmwareLayout.EfiServices + 16 * (ulong)service);
                machine.Domain.Memory.TryWrite(tables.FpswaPointer, code + FirmwareLayout.FpswaDescriptor);
                machine.Domain.Memory.TryWrite(FirmwareLayout.FpswaDescriptor, code + FirmwareLayout.Fpswa);
                _virtualMode = true;
                return EfiStatus.Success;
            }

            return EfiStatus.NotFound;
        }
    }

    private long Reset(uint type)
    {
        const uint Off = 2;
        machine.Shutdown(type == Off ? ShutdownReason.PowerOff : ShutdownReason.Reboot);
        return EfiStatus.Success;
    }
}
