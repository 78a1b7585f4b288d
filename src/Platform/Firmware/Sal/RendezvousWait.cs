using FastXen.Core;
using FastXen.Core.State;

namespace FastXen.Platform.Firmware.Sal;

/// <summary>
/// SAL's loop for application processors (SAL specification, "OS_BOOT_RENDEZ"): they wait for the wake-up interrupt and enter where SAL_SET_VECTORS said. A
/// processor that the operating system returns by its b0 (CPU hot-unplug) comes here again.
/// </summary>
internal static unsafe class RendezvousWait
{
    /// <summary>Waits, or hands the processor over. Its code is one bundle, so that it stays here until it is woken.</summary>
    public static void Call(Vcpu vcpu, int number, BootRendezvous? rendezvous)
    {
        VcpuState* s = vcpu.State;
        s->Cr[Cr.Tpr] = 0;
        for (int word = 0; word < 4; word++)
            s->InService[word] = 0;
        for (ulong vector; (vector = Core.Interpret.LocalSapic.Acknowledge(s)) != Core.Interpret.LocalSapic.Spurious;)
        {
            Core.Interpret.LocalSapic.EndOfInterrupt(s);
            if (vector != MachineMap.ApWakeupVector || rendezvous is null)
                continue;
            HandOff.Enter(vcpu, number, rendezvous.Entry, FirmwareService.RendezvousWait);
            Registers.SetGr(s, 1, rendezvous.Gp);
            return;
        }

        HandOff.Enter(vcpu, number, FirmwareLayout.Entry(FirmwareService.RendezvousWait), FirmwareService.RendezvousWait);
        vcpu.WaitForInterrupt();
    }
}
