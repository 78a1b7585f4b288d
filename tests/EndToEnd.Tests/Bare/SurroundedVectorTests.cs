using FastXen.Bare;
using FastXen.Core;
using FastXen.Core.Lockstep;
using FastXen.Core.State;
using FastXen.Core.Tests.RandomPrograms;
using FastXen.Tests;
using Xunit.Abstractions;

namespace FastXen.EndToEnd.Tests.Bare;

/// <summary>
/// The kit's vectors among random instructions, in a loop, with registers live before and behind them, other predicates, with NaTs and without:
/// what the interpreter does is what the translator must do.
/// </summary>
public unsafe class SurroundedVectorTests(ITestOutputHelper log)
{
    private const int Variants = 3, MostBundles = 12;

    public static TheoryData<string> Families => VectorTests.Families;

    // The variant in which all code looks at NaT bits, although it meets no more of them than in the first.
    private const int NatElsewhere = 2;

    [KitTheory]
    [MemberData(nameof(Families))]
    public void Family(string family)
    {
        using var reference = new BareMachine(EngineKind.Interpreter);
        using var subject = new BareMachine(EngineKind.Translator);
        var failures = new List<string>();
        int count = 0;
        VectorFile.Read(Kit.File($"vectors/{family}.jsonl.gz"), vector =>
        {
            for (int variant = 0; variant < Variants && Stretch(vector) is { } end; variant++)
            {
                count++;
                if (Run(reference, subject, vector, end, variant) is { } difference)
                    failures.Add($"{vector.Id}, variant {variant}: {difference}");
            }
        });
        log.WriteLine($"{family}: {count} cases");
        Assert.True(failures.Count == 0, $"{failures.Count} of {count} differ:\n{string.Join('\n', failures.Take(20))}");
    }

    // Where the code goes on behind the vector; null where that is not one place.
    private static ulong? Stretch(VectorCase vector)
    {
        ulong end = vector.Before.Ip + (ulong)vector.Code.Length;
        return vector.Stops.Length == 1 && vector.Stops[0] == end ? end : null;
    }

    private static string? Run(BareMachine reference, BareMachine subject, VectorCase vector, ulong end, int variant)
    {
        // String.GetHashCode differs from run to run.
        var random = new Random(vector.Id.Aggregate(variant, (hash, c) => (hash * 31) + c));
        bool nats = variant == 1 && random.Next(2) == 0;
        var mix = new InstructionMix(random, Weights(vector)) { Nats = nats, Counting = true, InFunction = true, FrameSize = vector.Before.Sof };
        int ahead = random.Next(1, MostBundles), behind = random.Next(1, MostBundles);
        var code = new BundleWriter(vector.Before.Ip - ((ulong)ahead * 16));
        Fill(code, mix, random, ahead);
        code.AddRaw(vector.Code);
        Fill(code, mix, random, behind);
        code.Add(BundleWriter.Mib | 1, mix.Any('M'), mix.Any('I'), SlotBits.Branch(5, 0, -code.Count));
        ulong stop = code.Address;
        ProcessorImage before = Before(vector, random, variant, nats);
        before.Ip = code.AddressOf(0);
        before.Psr &= ~Psr.Ri;
        foreach (BareMachine machine in (ReadOnlySpan<BareMachine>)[reference, subject])
        {
            machine.Load(before, mapped: true);
            machine.Write(before.Ip, code.ToArray());
            machine.Write(VectorFile.DataAddress, vector.DataBefore);
            machine.StayAt([stop]);
            if (variant == NatElsewhere)
                machine.Processor.State->OtherBankNat[0] = (byte)(machine.Processor.State->NatPresent = 1);
        }

        var pair = new LockstepPair(reference.Processor, subject.Processor);
        VcpuState* s = reference.Processor.State;
        // The last look-points are in the branch to itself behind the code, or at an interruption's vector.
        for (int n = 0; n < 8; n++)
        {
            if (!pair.RunTo(s->Retired + (ulong)random.Next(1, 60)))
                return string.Join(", ", pair.Differences().Take(4)) + $"; code at 0x{before.Ip:x}: {Convert.ToHexString(code.ToArray())}";
        }

        return reference.Memory(VectorFile.DataAddress, VectorFile.DataSize).SequenceEqual(subject.Memory(VectorFile.DataAddress, VectorFile.DataSize))
            ? null
            : "the data differ";
    }

    private static Dictionary<Purpose, int> Weights(VectorCase vector) => new()
    {
        [Purpose.Alu] = 40,
        [Purpose.Multimedia] = 8,
        [Purpose.Compare] = 15,
        [Purpose.Moves] = 3,
        [Purpose.Transfer] = vector.Id[0] == 'F' ? 6 : 1,
        [Purpose.Floating] = vector.Id[0] == 'F' ? 20 : 2,
        [Purpose.FloatingOdd] = 2,
    };

    private static void Fill(BundleWriter code, InstructionMix mix, Random random, int bundles)
    {
        for (int n = 0; n < bundles; n++)
        {
            int template = random.Next(3) switch { 0 => BundleWriter.Mii, 1 => BundleWriter.Mmi, _ => BundleWriter.Mfi };
            string units = BundleWriter.Units(template);
            code.Add(template | 1, mix.Any(units[0]), mix.Any(units[1]), mix.Any(units[2]));
        }
    }

    private static ProcessorImage Before(VectorCase vector, Random random, int variant, bool nats)
    {
        ProcessorImage before = vector.Before.Clone();
        // Not in a family that is about NaTs: there they come with the vector.
        if (!nats && variant == 1)
            Array.Clear(before.Nat);
        before.Ar[Ar.Lc] = 3;
        if (variant == 1)
            before.Pr = ((ulong)random.NextInt64() * 2) | 1;
        if (nats)
        {
            for (int n = 0; n < 3; n++)
                before.Nat[random.Next(1, 32 + before.Sof)] = true;
        }

        return before;
    }
}
