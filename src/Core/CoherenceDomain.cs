using FastXen.Mmu;

namespace FastXen.Core;

/// <summary>
/// The processors of a domain: they share its memory, and what one of them purges by ptc.g or ptc.ga leaves the translation caches of all (the manual's TLB
/// coherence domain, SDM vol 2, 4.1.1). Members are added before any of them runs.
/// </summary>
public sealed unsafe class CoherenceDomain
{
    /// <summary>Most members.</summary>
    public const int Capacity = 64;

    // Looks at another vCPU before the host thread lets others run: some microseconds.
    private const int Spins = 200;

    // With more frames than this that went at once, everything is forgotten.
    private const int MostPlaces = 8;

    private volatile Vcpu[] members = [];
    private DomainCode? code;

    /// <summary>The processors.</summary>
    public IReadOnlyList<Vcpu> Members => members;

    internal void Add(Vcpu vcpu)
    {
        if (members.Length == Capacity)
            throw new InvalidOperationException($"a domain has at most {Capacity} processors");
        members = [.. members, vcpu];
        // AR.ITC is the same on all of them until software sets it.
        vcpu.State->ClockStart = members[0].State->ClockStart;
        if (members.Length == 1)
            return;
        foreach (Vcpu member in members)
            member.State->Shared = 1;
    }

    // The last one takes the code with it.
    internal void Remove(Vcpu vcpu)
    {
        members = [.. members.Where(member => member != vcpu)];
        if (members.Length != 0)
            return;
        code?.Dispose();
        code = null;
    }

    /// <summary>The decoded and translated code of all members, which have the same memory.</summary>
    internal DomainCode CodeOf(PhysicalMemory memory) => code ??= new DomainCode(memory);

    /// <summary>
    /// ptc.g and ptc.ga, past the purge of the processor that executes it: returns when every other one has purged, or does not run guest code (it will purge
    /// before it does). <paramref name="alat"/>: their ALAT entries go as well.
    /// </summary>
    public void Purge(Vcpu initiator, ulong address, ulong size, uint rid, bool alat)
    {
        Vcpu[] all = members;
        if (all.Length <= 1)
            return;
        long* tickets = stackalloc long[all.Length];
        for (int n = 0; n < all.Length; n++)
        {
            if (all[n] == initiator)
                continue;
            tickets[n] = all[n].Purges.Post(address, size, rid, alat);
            Volatile.Write(ref all[n].State->Deadline, 0);
        }

        Wait(initiator, all, tickets);
    }

    /// <summary>
    /// The memory behind some of the domain's guest addresses is another now (<see cref="FrameMap"/>): returns when no processor that may have kept the frames can
    /// reach what was there, or when those that could do not run and will forget it first. A processor's name is its <see cref="Vcpu.Number"/> and 1.
    /// <paramref name="initiator"/>: the processor on whose thread this is, or null.
    /// </summary>
    public void ForgetFrames(Vcpu? initiator, params ReadOnlySpan<FrameCacher> keepers)
    {
        Vcpu[] all = members;
        long* tickets = stackalloc long[all.Length];
        bool everywhere = keepers.Length > MostPlaces || keepers.Contains(FrameCacher.Many);
        for (int n = 0; n < all.Length; n++)
        {
            uint name = (uint)all[n].Number + 1;
            // The ticket of the last one is that of all.
            tickets[n] = 0;
            if (everywhere)
            {
                tickets[n] = ForgetFrame(initiator, all[n], FrameCacher.Of(name));
                continue;
            }

            foreach (FrameCacher keeper in keepers)
            {
                if (keeper.Vcpu == name)
                    tickets[n] = ForgetFrame(initiator, all[n], keeper);
            }
        }

        Wait(initiator, all, tickets);
    }

    private static long ForgetFrame(Vcpu? initiator, Vcpu vcpu, FrameCacher keeper)
    {
        if (vcpu == initiator)
        {
            FastTlb.Forget(vcpu.State->Mmu, keeper);
            return 0;
        }

        long ticket = vcpu.Purges.Post(keeper);
        Volatile.Write(ref vcpu.State->Deadline, 0);
        return ticket;
    }

    /// <summary>
    /// sync.i: returns when every other processor has passed a look-point, at which it lets go of code that was forgotten, or does not run guest code.
    /// </summary>
    internal void Synchronize(Vcpu initiator)
    {
        Vcpu[] all = members;
        long* tickets = stackalloc long[all.Length];
        for (int n = 0; n < all.Length; n++)
        {
            if (all[n] == initiator)
                continue;
            tickets[n] = all[n].Purges.Ask();
            Volatile.Write(ref all[n].State->Deadline, 0);
        }

        Wait(initiator, all, tickets);
    }

    // Two that wait for one another serve one another. Whoever runs comes by a look-point soon (its budget of slots is bounded), and then serves or stops running.
    private static void Wait(Vcpu? initiator, Vcpu[] all, long* tickets)
    {
        for (int n = 0; n < all.Length; n++)
        {
            if (all[n] == initiator)
                continue;
            // Who was not asked has the ticket 0, which is served from the first.
            for (int spins = 0; all[n].RunsGuest && !all[n].Purges.IsServed(tickets[n]); spins++)
            {
                initiator?.ServePurges();
                if (spins < Spins)
                    Thread.SpinWait(10);
                else
                    Thread.Yield();
            }
        }
    }
}
