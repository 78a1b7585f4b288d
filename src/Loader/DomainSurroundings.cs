using FastXen.Core;
using FastXen.Platform.Net.Switch;
using FastXen.Smp;
using FastXen.Xen;
using FastXen.Xen.Memory;

namespace FastXen.Loader;

/// <summary>What a host has for its domains.</summary>
/// <param name="Scheduler">What runs their vCPUs.</param>
/// <param name="Translator">How their translators work.</param>
/// <param name="Xen">What those on the Xen interface have in common; made when the first one comes.</param>
/// <param name="Switches">Networks between them, by name; made when the first one is plugged in.</param>
/// <param name="Budget">The memory that they may have together. That of a config is taken before its domain is made.</param>
/// <param name="Log">Takes a line for the host's log.</param>
public sealed record DomainSurroundings(Scheduler Scheduler, TranslatorOptions Translator, Func<XenHost> Xen, Func<string, VirtualSwitch> Switches, MemoryBudget Budget, Action<string> Log);
