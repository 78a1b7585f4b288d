using FastXen.Platform.Pci;

namespace FastXen.Platform.Firmware.Sal;

/// <summary>Where an operating system wants its application processors to start: the OS_BOOT_RENDEZ vector of SAL_SET_VECTORS.</summary>
/// <param name="Entry">Physical address.</param>
/// <param name="Gp">Value of GR 1.</param>
public sealed record BootRendezvous(ulong Entry, ulong Gp);

/// <summary>The system abstraction layer's procedures: index in in0, arguments in in1-in7, status and three values in r8-r11.</summary>
internal sealed class SalServices(IPciConfigSpace? pci)
{
    // Larger than any record that we could have; there never is one.
    private const ulong StateInfoSize = 0x1000;

    private volatile BootRendezvous? rendezvous;

    /// <summary>The vector for application processors, or null before the operating system set it.</summary>
    public BootRendezvous? Rendezvous => rendezvous;

    /// <summary>Performs the procedure that in0 names.</summary>
    public void Call(ServiceCall call)
    {
        ulong a1 = call.In(1), a2 = call.In(2), a3 = call.In(3);
        switch ((SalProcedure)call.In(0))
        {
            case SalProcedure.SetVectors:
                if (a1 == 2)
                    rendezvous = new BootRendezvous(a2, a3);
                // The vectors for machine checks (0) and INIT (1) are accepted; neither event occurs.
                call.Result(a1 <= 2 ? SalStatus.Success : SalStatus.InvalidArgument);
                break;
            case SalProcedure.GetStateInfo:
                call.Result(a1 <= 3 ? SalStatus.NoInformation : SalStatus.InvalidArgument);
                break;
            case SalProcedure.GetStateInfoSize:
                call.Result(a1 <= 3 ? SalStatus.Success : SalStatus.InvalidArgument, a1 <= 3 ? StateInfoSize : 0);
                break;
            case SalProcedure.ClearStateInfo:
                call.Result(a1 <= 3 ? SalStatus.Success : SalStatus.InvalidArgument);
                break;
            case SalProcedure.McSetParams:
                call.Result(a1 is >= 1 and <= 3 && a2 is 1 or 2 ? SalStatus.Success : SalStatus.InvalidArgument);
                break;
            case SalProcedure.CacheFlush:
                if (a1 is 1 or 3 or 4)
                    call.Vcpu.FlushTranslations();
                call.Result(a1 is >= 1 and <= 4 ? SalStatus.Success : SalStatus.InvalidArgument);
                break;
            case SalProcedure.McRendez:
            case SalProcedure.RegisterPhysicalAddr:
            case SalProcedure.CacheInit:
                call.Result(SalStatus.Success);
                break;
            case SalProcedure.PciConfigRead:
                PciConfigCalls.Read(pci, call);
                break;
            case SalProcedure.PciConfigWrite:
                PciConfigCalls.Write(pci, call);
                break;
            case SalProcedure.FreqBase:
                FrequencyBase(call, a1);
                break;
            case SalProcedure.PhysicalIdInfo:
                call.Result(SalStatus.Success);
                break;
            default:
                call.Result(SalStatus.Unimplemented);
                break;
        }
    }

    private static void FrequencyBase(ServiceCall call, ulong clock)
    {
        switch (clock)
        {
            case 0: // platform base; all processors count the same clock, so that there is no drift
                call.Result(SalStatus.Success, MachineMap.BaseFrequency, 0);
                break;
            case 1: // interval timer
                call.Result(SalStatus.Success, MachineMap.ItcFrequency, 0);
                break;
            default:
                call.Result(clock == 2 ? SalStatus.Unimplemented : SalStatus.InvalidArgument);
                break;
        }
    }
}
