using FastXen.Core.Decode;
using FastXen.Core.State;
using FastXen.Platform.Firmware;
using FastXen.Platform.Firmware.Fpswa;
using FastXen.Xen.Hypercalls;
using FastXen.Xen.Memory;
using FastXen.Xen.Processor;

namespace FastXen.Xen.Firmware;

/// <summary>Hypercalls from the firmware's entry points, and those that go with them: numbers from 0x200 on.</summary>
internal static unsafe class FirmwareEntry
{
    private const byte ApWakeupVector = 0xF3;

    // The window lies in region 7, on a boundary of 64 KiB, outside of the hypervisor's own addresses.
    private static bool IsWindow(ulong va) => va >> 61 == 7 && (va & 0xFFFF) == 0 && ((va >> 60 ^ va >> 59) & 1) == 0;

    /// <summary>Does the call of the break <paramref name="i"/>.</summary>
    public static int Do(VcpuState* s, Instruction* i, ulong number)
    {
        ParavirtualState* p = ParavirtualState.Of(s);
        ParavirtualVcpu vcpu = ParavirtualVcpu.Of(p);
        var call = new ServiceCall(vcpu.Processor);
        FirmwareServices services = vcpu.Machine.Firmware;
        switch (number)
        {
            case >= FirmwareCalls.Efi and < FirmwareCalls.Efi + FirmwareLayout.EfiServiceCount:
                services.Efi(call, (int)(number - FirmwareCalls.Efi));
                break;
            case FirmwareCalls.Ipi:
                Ipi(vcpu, s->Gr[14], s->Gr[15]);
                break;
            case FirmwareCalls.FpswaBroken:
                call.Result(-1);
                break;
            case FirmwareCalls.Fpswa:
                FpswaServices.Call(call);
                break;
            case FirmwareCalls.FpswaInRegisters:
                FpswaInRegisters(s, vcpu.Machine.Domain.Memory);
                break;
            case FirmwareCalls.SetSharedInfoVa:
                MoveWindow(vcpu, s->Gr[28]);
                break;
            case FirmwareCalls.Pal:
                s->Gr[2] = services.Pal(call, vcpu) ? 1u : 0;
                break;
            case FirmwareCalls.Sal:
                services.Sal(call, vcpu);
                break;
            case FirmwareCalls.SalReturn:
                vcpu.TakeDown();
                break;
            case 0x700:
                Registers.SetGr(s, 8, (ulong)OptFeature(vcpu, new XencommHandle(s->FrameBase[32])));
                break;
            default:
                Registers.SetGr(s, 8, unchecked((ulong)-Errno.ENOSYS));
                break;
        }

        return Hypercall.Finish(s, p, i);
    }

    // r14: the kind, r15 and r16 the bundle, r17 IPSR, r18 FPSR, r19 ISR, r20 predicates, r21 IFS, r22 and r23 the masks of registers in memory, r24 to r27
    // where they are, guest physical. Back: r8 the status, r9 to r11 0, r17 to r21.
    private static void FpswaInRegisters(VcpuState* s, DomainMemory memory)
    {
        ulong* r = s->Gr;
        FpswaState state = new(r[15], r[16], r[17], r[18], r[19], r[20], r[21]);
        FpswaBanks banks = new(r[22], r[23], r[24], r[25], r[26], r[27],
            (address, to) => memory.Read(address, to) == to.Length, (address, from) => memory.Write(address, from) == from.Length);
        long status = FpswaServices.Call(s, r[14], ref state, banks);
        ReadOnlySpan<ulong> results = [(ulong)status, 0, 0, 0];
        for (int k = 0; k < results.Length; k++)
            Registers.SetGr(s, (uint)(8 + k), results[k]);
        ReadOnlySpan<ulong> changed = [state.Ipsr, state.Fpsr, state.Isr, state.Predicates, state.Ifs];
        for (int k = 0; k < changed.Length; k++)
            Registers.SetGr(s, (uint)(17 + k), changed[k]);
    }

    // Identity mappings of regions 7, 4 and 5 (1 to 3) are only a help for the hypervisor's speed; ours needs none.
    private static long OptFeature(ParavirtualVcpu vcpu, XencommHandle feature)
    {
        if (!feature.Read(vcpu.Machine.Domain.Memory, out ulong command))
            return -Errno.EFAULT;
        return command is >= 1 and <= 3 ? 0 : -Errno.ENOSYS;
    }

    private static void MoveWindow(ParavirtualVcpu vcpu, ulong va)
    {
        if (!IsWindow(va))
        {
            vcpu.Processor.Crash($"the guest wants its shared registers at 0x{va:x16}");
            return;
        }

        vcpu.Machine.WindowVa = va;
        vcpu.MoveWindow();
        Registers.SetGr(vcpu.Processor.State, 8, 0);
    }

    private static void Ipi(ParavirtualVcpu sender, ulong target, ulong vector)
    {
        if (target >= (ulong)sender.Machine.Vcpus.Count)
            return;
        ParavirtualVcpu to = sender.Machine.Vcpus[(int)target];
        if (vector == ApWakeupVector && sender.Machine.Firmware.Rendezvous is { } rendezvous
            && sender.Machine.Start(to, rendezvous.Entry, rendezvous.Gp))
            return;
        if (vector is > ParavirtualVcpu.EventRequest and <= 0xFF)
            to.Processor.PostInterrupt((byte)vector);
    }
}
