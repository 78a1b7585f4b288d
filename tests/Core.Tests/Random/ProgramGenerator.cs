using System.Buffers.Binary;
using FastXen.Core.State;
using FastXen.Core.Tests.SystemLevel;

namespace FastXen.Core.Tests.RandomPrograms;

/// <summary>
/// Makes a program from a seed: stretches of random instructions, loops (counted, modulo-scheduled, guarded), branches, calls of functions with
/// frames of all sizes, recursion that overflows the register stack, sequences of <see cref="Fragments"/>. A stretch leads to
/// the next one for ever; the timer moves on what does not come to its end.
/// </summary>
internal sealed class ProgramGenerator
{
    private const int Functions = 5, RecursionRegister = 2;
    private static readonly byte[] GuardRegisters = [3, 12];

    private readonly Random _random;
    private readonly byte[] _memory = new byte[Layout.MemorySize];
    private readonly BundleWriter _code = new(Layout.Code);
    private readonly InstructionMix _mix;
    private readonly int[] _functions = new int[Functions];
    private readonly bool _floating, _system, _nats;
    private int _recursive;
    // Guards in use: the depth of guarded loops.
    private int _guards;
    private readonly int _firstPage;
    private int _sor, _overPages;

    private ProgramGenerator(int seed)
    {
        _random = new Random(seed);
        _floating = Chance(60);
        _system = Chance(50);
        _nats = Chance(35);
        _firstPage = _random.Next(0x40, 0x78);
        int floating = _floating ? _random.Next(1, 4) : 0;
        var weights = new Dictionary<Purpose, int>
        {
            [Purpose.Alu] = 40,
            [Purpose.Multimedia] = Chance(50) ? 15 : 2,
            [Purpose.Compare] = 18,
            [Purpose.Moves] = Chance(50) ? 8 : 2,
            [Purpose.Load] = 22,
            [Purpose.Store] = 14,
            [Purpose.Speculation] = Chance(50) ? 10 : 0,
            [Purpose.Semaphore] = Chance(40) ? 5 : 0,
            [Purpose.Floating] = 20 * floating,
            [Purpose.FloatingOdd] = 12 * floating,
            [Purpose.FloatingLoad] = 8 * floating,
            [Purpose.FloatingStore] = 4 * floating,
            [Purpose.Transfer] = 3 * floating,
            [Purpose.System] = _system ? 6 : 0,
            [Purpose.Prefetch] = 2,
        };
        _mix = new InstructionMix(_random, weights) { Nats = _nats };
    }

    /// <summary>The program of a seed.</summary>
    public static GuestProgram Make(int seed) => new ProgramGenerator(seed).Generate(seed);

    private GuestProgram Generate(int seed)
    {
        PatchFunction();
        PatchOverPages();
        for (int f = Functions - 1; f >= 0; f--)
            Function(f);
        RecursiveFunction();
        int count = _random.Next(3, 9);
        var entries = new List<int>();
        for (int n = 0; n < count && _code.Address < Layout.CodeEnd - 0x8000; n++)
        {
            if (Chance(30))
                AlignNearPageEnd();
            entries.Add(_code.Count);
            Stretch();
            if (n == count - 1 || Chance(20))
                JumpTo(entries[_random.Next(entries.Count)], Chance(50) ? 0 : _mix.Predicate());
        }

        JumpTo(entries[0], 0);
        _code.ToArray().CopyTo(_memory.AsSpan((int)Layout.Code));
        Handlers.Write(_memory);
        WriteTables();
        WriteData();
        WriteStretches(entries);
        return new GuestProgram(seed, _memory, _code.Address, _nats, [Layout.Code, _code.AddressOf(_overPages), _code.AddressOf(_overPages + 1)]);
    }

    private bool Chance(int percent) => _random.Next(100) < percent;

    // ---- stretches and functions ----

    private void Stretch()
    {
        _code.Add(BundleWriter.Mib | 1, SlotBits.NopM, SlotBits.NopI, SlotBits.Clrrrb);
        int sof = _random.Next(8, 91), sol = _random.Next(Math.Max(0, sof - 20), sof + 1);
        _sor = Chance(70) ? 8 * _random.Next(1, 7) : 0;
        sof = Math.Max(sof, _sor);
        sol = Math.Max(sol, 0);
        _mix.InFunction = false;
        _mix.FrameSize = sof;
        _mix.Links = default;
        _code.Add(BundleWriter.Mii | 1, SlotBits.Alloc(13, sof, Math.Min(sol, sof), _sor), SlotBits.NopI, SlotBits.NopI);
        _code.Add(BundleWriter.Mmi | 1, SlotBits.Mask(6, Psr.I), SlotBits.NopM, SlotBits.NopI);
        foreach (byte r in InstructionMix.Pool)
            SetAddress(r);
        int parts = _random.Next(6, 22);
        for (int n = 0; n < parts; n++)
        {
            if (Chance(25))
                SetAddress(InstructionMix.Pool[_random.Next(InstructionMix.Pool.Length)]);
            Part(0, 0);
        }
    }

    // A leaf or inner function; it calls only those that were made before it.
    private void Function(int number)
    {
        _functions[number] = _code.Count;
        int locals = _random.Next(2, 30), outputs = _random.Next(0, 9);
        _sor = Chance(40) ? Math.Min(8 * _random.Next(1, 4), locals / 8 * 8) : 0;
        locals = Math.Max(locals, _sor + 2);
        Enter(locals, outputs);
        int parts = _random.Next(1, 5);
        for (int n = 0; n < parts; n++)
            Part(1, number + 1);
        Leave();
    }

    private void Enter(int locals, int outputs)
    {
        _mix.InFunction = true;
        _mix.FrameSize = locals + outputs;
        _mix.Links = ((byte)(32 + locals - 2), (byte)(32 + locals - 1));
        _code.Add(BundleWriter.Mii | 1, SlotBits.Alloc(_mix.Links.First, locals + outputs, locals, _sor), SlotBits.MovFromBr(_mix.Links.Second, 0), SlotBits.NopI);
    }

    private void Leave()
    {
        _code.Add(BundleWriter.Mii | 1, SlotBits.NopM, SlotBits.MovToArI(Ar.Pfs, _mix.Links.First), SlotBits.MovToBr(0, _mix.Links.Second));
        _code.Add(BundleWriter.Mib | 1, _mix.Any('M'), _mix.Any('I'), SlotBits.Return(0, 0));
        _mix.InFunction = false;
    }

    // Calls itself until r2 is 0.
    private void RecursiveFunction()
    {
        _recursive = _code.Count;
        _sor = 0;
        Enter(_random.Next(3, 40), _random.Next(0, 8));
        Straight(1);
        _code.Add(BundleWriter.Mmi | 1, SlotBits.AddImmediate(RecursionRegister, -1, RecursionRegister), SlotBits.CompareLess(6, 7, 0, RecursionRegister), SlotBits.NopI);
        _code.Add(BundleWriter.Mib | 1, SlotBits.NopM, SlotBits.NopI, SlotBits.Call(0, 6, _recursive - _code.Count));
        Straight(1);
        Leave();
    }

    // add r13=imm,r13; its immediate is toggled by ModifyCode.
    private void PatchFunction() =>
        _code.Add(BundleWriter.Mib | 1, SlotBits.AddImmediate(13, 5, 13), SlotBits.AddImmediate(1, 1, 1), SlotBits.Return(7, 0));

    // The same, but for its begin, which is the last bundle of the page before: each of the two is toggled.
    private void PatchOverPages()
    {
        int skip = 255 - (_code.Count & 255);
        for (int n = 0; n < skip; n++)
            _code.Add(BundleWriter.Mii, SlotBits.NopM, SlotBits.NopI, SlotBits.NopI);
        _overPages = _code.Count;
        _code.Add(BundleWriter.Mii | 1, SlotBits.AddImmediate(13, 7, 13), SlotBits.NopI, SlotBits.AddImmediate(1, 1, 1));
        PatchFunction();
    }

    // ---- parts ----

    private void Part(int depth, int firstCallable)
    {
        switch (_random.Next(depth >= 2 ? 7 : 15))
        {
            case 0 or 1:
                Straight(_random.Next(1, 9));
                break;
            case 2:
                Forward();
                break;
            case 3:
                Check();
                break;
            case 4 when Chance(40):
                _code.Add(BundleWriter.Mib | 1, _mix.Any('M'), _mix.Any('I'), SlotBits.Call(7, Chance(70) ? 0 : _mix.Qualifier(), _overPages - _code.Count));
                break;
            case 4 when firstCallable < Functions:
                Call(_functions[_random.Next(firstCallable, Functions)]);
                break;
            case 5:
                Fragment();
                break;
            case 6:
                Indirect();
                break;
            case 7 or 8:
                CountedLoop(depth, firstCallable);
                break;
            case 9 or 10:
                ModuloLoop(exit: false);
                break;
            case 11:
                ModuloLoop(exit: true);
                break;
            case 12 or 13:
                GuardedLoop(depth, firstCallable);
                break;
            case 14 when !_mix.InFunction:
                Deep();
                break;
            default:
                Straight(_random.Next(1, 4));
                break;
        }
    }

    private void Straight(int bundles)
    {
        for (int n = 0; n < bundles; n++)
        {
            int stop = _random.Next(2);
            int template = _random.Next(20) switch
            {
                < 5 => BundleWriter.Mii,
                5 => BundleWriter.MiStopI,
                < 10 => BundleWriter.Mmi,
                10 => BundleWriter.MStopMi,
                < 15 => _floating ? BundleWriter.Mfi : BundleWriter.Mmi,
                < 17 => _floating ? BundleWriter.Mmf : BundleWriter.Mii,
                17 => BundleWriter.Mib,
                18 => BundleWriter.Mlx,
                _ => BundleWriter.Mmi,
            };
            if (template == BundleWriter.Mlx)
            {
                ulong value = Constant();
                _code.Add(template | stop, _mix.Any('M'), SlotBits.MovlHigh(value), SlotBits.Movl(_mix.Target(), value) | _mix.Qualifier());
                continue;
            }

            string units = BundleWriter.Units(template);
            _code.Add(template | stop, Slot(units[0]), Slot(units[1]), Slot(units[2]));
        }
    }

    private ulong Slot(char unit) => unit == 'B' ? SlotBits.NopB : Chance(6) ? SlotBits.Nop(unit) : _mix.Any(unit);

    private ulong Constant() => _random.Next(6) switch
    {
        0 => (ulong)_random.NextInt64(-4, 5),
        1 => (ulong)_random.NextInt64(1L << 40),
        2 => 1UL << _random.Next(64),
        3 => BitConverter.DoubleToUInt64Bits(_random.NextDouble() * 1000 - 500),
        4 => ~0UL >> _random.Next(64),
        _ => (ulong)_random.NextInt64() * 2 + (ulong)_random.Next(2),
    };

    // A conditional branch over some bundles, from any slot that a branch can be in.
    private void Forward()
    {
        int bundles = _random.Next(1, 6);
        ulong branch = SlotBits.Branch(0, _mix.Qualifier(), bundles + 1);
        switch (_random.Next(4))
        {
            case 0:
                _code.Add(BundleWriter.Bbb | 1, branch, SlotBits.Branch(0, _mix.Predicate(), bundles + 1), SlotBits.NopB);
                break;
            case 1:
                _code.Add(BundleWriter.Mbb | 1, _mix.Any('M'), branch, SlotBits.Branch(0, _mix.Predicate(), _random.Next(1, bundles + 2)));
                break;
            case 2:
                _code.Add(BundleWriter.Mmb | 1, _mix.Any('M'), _mix.Of('M', Purpose.Compare), branch);
                break;
            default:
                _code.Add(BundleWriter.Mib | 1, _mix.Any('M'), _mix.Of('I', Purpose.Compare), branch);
                break;
        }

        Straight(bundles);
    }

    // Speculation checks, whose recovery skips some bundles; the interruption's handler skips the check.
    private void Check()
    {
        int bundles = _random.Next(1, 4);
        bool f = _floating && Chance(40);
        int target = f ? _mix.FloatingTarget() : _mix.Target();
        ulong chk = (_nats ? _random.Next(3) : _random.Next(2)) switch
        {
            0 => SlotBits.Check(0UL << 37 | (f ? 6UL : 4UL) << 33, false, target, _mix.Qualifier(), bundles + 1),
            1 => SlotBits.Check(0UL << 37 | (f ? 7UL : 5UL) << 33, false, target, _mix.Qualifier(), bundles + 1),
            _ => SlotBits.Check(1UL << 37 | (f ? 3UL : 1UL) << 33, true, target, _mix.Qualifier(), bundles + 1),
        };
        Straight(_random.Next(1, 3));
        _code.Add(BundleWriter.Mmi | 1, chk, _mix.Any('M'), _mix.Any('I'));
        Straight(bundles);
    }

    private void Call(int target)
    {
        int b = 0;
        switch (_random.Next(3))
        {
            case 0:
                _code.Add(BundleWriter.Mib | 1, _mix.Any('M'), _mix.Any('I'), SlotBits.Call(b, Chance(70) ? 0 : _mix.Qualifier(), target - _code.Count));
                break;
            case 1:
                // brl.call: the displacement is in both slots.
                long distance = target - _code.Count;
                ulong low = (ulong)distance & 0xF_FFFF, high = (ulong)distance >> 20;
                _code.Add(BundleWriter.Mlx | 1, _mix.Any('M'), (high & ((1UL << 39) - 1)) << 2, 13UL << 37 | (ulong)b << 6 | low << 13 | (high >> 39 & 1) << 36);
                break;
            default:
                Long(24, _code.AddressOf(target));
                _code.Add(BundleWriter.Mib | 1, _mix.Any('M'), SlotBits.MovToBr(6, 24), SlotBits.CallIndirect(b, 6, 0));
                break;
        }
    }

    // A branch through b7 to one of two places, as a predicate says.
    private void Indirect()
    {
        int bundles = _random.Next(1, 4);
        // Relative to here, so that it works under each of the code's addresses.
        _code.Add(BundleWriter.Mii | 1, SlotBits.NopM, 0x30UL << 27 | 24 << 6, SlotBits.NopI);
        _code.Add(BundleWriter.Mii | 1, SlotBits.AddImmediate(24, 16 * 4, 24), SlotBits.NopI, SlotBits.NopI);
        ulong more = SlotBits.AddImmediate(24, 16 * bundles, 24) | _mix.Predicate();
        _code.Add(BundleWriter.Mii | 1, more, SlotBits.NopI, SlotBits.NopI);
        _code.Add(BundleWriter.Mib | 1, _mix.Any('M'), SlotBits.MovToBr(7, 24), SlotBits.BranchIndirect(7, Chance(70) ? 0 : _mix.Qualifier()));
        Straight(bundles);
    }

    private void CountedLoop(int depth, int firstCallable)
    {
        if (_mix.Counting)
        {
            GuardedLoop(depth, firstCallable);
            return;
        }

        _code.Add(BundleWriter.Mii | 1, _mix.Any('M'), SlotBits.MovToArImmediateI(Ar.Lc, _random.Next(1, 40)), SlotBits.NopI);
        _mix.Counting = true;
        int top = _code.Count;
        Straight(_random.Next(1, 6));
        if (Chance(30))
            Forward();
        if (Chance(30))
            Check();
        CloseLoop(5, 0, top);
        _mix.Counting = false;
    }

    // br.ctop, br.wtop, br.cexit, br.wexit with rotating registers and predicates.
    private void ModuloLoop(bool exit)
    {
        bool counted = Chance(60);
        byte guard = GuardRegisters[0];
        if (_mix.Counting || (!counted && _guards > 0))
        {
            Straight(2);
            return;
        }

        // Only what a translator may know how to do in such a loop; more turns then than there are names.
        bool tight = Chance(50);
        int turns = tight && Chance(50) ? 250 : 25;
        _code.Add(BundleWriter.Mii | 1, SlotBits.AddImmediate(guard, _random.Next(2, turns), 0), SlotBits.MovToArImmediateI(Ar.Lc, _random.Next(1, turns)),
            SlotBits.MovToArImmediateI(Ar.Ec, _random.Next(1, 7)));
        _code.Add(BundleWriter.Mib | 1, _mix.Any('M'), SlotBits.MovToPrRot((uint)_random.Next(1, 8)), SlotBits.Clrrrb);
        _mix.Counting = true;
        int top = _code.Count;
        if (tight)
            Tight(_random.Next(1, 4));
        else
            Straight(_random.Next(1, 5));
        int again = 0;
        if (!counted)
        {
            again = tight && Chance(50) ? _random.Next(16, 24) : _random.Next(6, 16);
            _code.Add(BundleWriter.Mmi | 1, SlotBits.AddImmediate(guard, -1, guard), SlotBits.CompareLess(again, 0, 0, guard), tight ? SlotBits.NopI : _mix.Any('I'));
        }

        int type = counted ? 7 : 3;
        if (exit)
        {
            // The exit branch leaves when the loop is over; a plain branch goes back.
            _code.Add(BundleWriter.Mib | 1, _mix.Any('M'), _mix.Any('I'), SlotBits.Branch(type - 1, again, 3));
            Straight(1);
            _code.Add(BundleWriter.Mib | 1, SlotBits.NopM, SlotBits.NopI, SlotBits.Branch(0, 0, top - _code.Count));
        }
        else
        {
            CloseLoop(type, again, top);
        }

        _mix.Counting = false;
        if (Chance(70))
            _code.Add(BundleWriter.Mib | 1, SlotBits.NopM, SlotBits.NopI, Chance(80) ? SlotBits.Clrrrb : 5UL << 27);
    }

    // Integers, memory and predicates only.
    private void Tight(int bundles)
    {
        for (int n = 0; n < bundles; n++)
        {
            ulong memory = _mix.Of('M', Chance(50) ? Purpose.Load : Purpose.Store);
            _code.Add(BundleWriter.Mmi | 1, memory, _mix.Of('M', Chance(70) ? Purpose.Alu : Purpose.Load), _mix.Of('I', Chance(60) ? Purpose.Alu : Purpose.Compare));
        }
    }

    private void GuardedLoop(int depth, int firstCallable)
    {
        if (_guards >= GuardRegisters.Length)
        {
            Straight(2);
            return;
        }

        byte guard = GuardRegisters[_guards++];
        _code.Add(BundleWriter.Mmi | 1, SlotBits.AddImmediate(guard, _random.Next(2, depth == 0 ? 60 : 12), 0), _mix.Any('M'), SlotBits.NopI);
        int top = _code.Count;
        int parts = _random.Next(1, 4);
        for (int n = 0; n < parts; n++)
        {
            // Functions use the same guards.
            if (_mix.InFunction || Chance(70))
                Straight(_random.Next(1, 5));
            else if (Chance(50))
                Forward();
            else
                Part(depth + 2, Functions);
        }

        int p = _random.Next(6, 16);
        _code.Add(BundleWriter.Mmi | 1, SlotBits.AddImmediate(guard, -1, guard), SlotBits.CompareLess(p, p ^ 1, 0, guard), _mix.Of('I', Purpose.Alu));
        CloseLoop(0, p, top);
        _guards--;
    }

    private void CloseLoop(int type, int qp, int top)
    {
        ulong branch = SlotBits.Branch(type, qp, top - _code.Count);
        switch (_random.Next(_floating ? 4 : 3))
        {
            case 0:
                _code.Add(BundleWriter.Mib | 1, SlotBits.NopM, SlotBits.NopI, branch);
                break;
            case 1:
                _code.Add(BundleWriter.Mmb | 1, _mix.Any('M'), SlotBits.NopM, branch);
                break;
            case 2:
                _code.Add(BundleWriter.Mib | 1, _mix.Any('M'), _mix.Of('I', Purpose.Alu), branch);
                break;
            default:
                _code.Add(BundleWriter.Mfb | 1, _mix.Any('M'), _mix.Any('F'), branch);
                break;
        }
    }

    private void Deep()
    {
        _code.Add(BundleWriter.Mmi | 1, SlotBits.AddImmediate(RecursionRegister, _random.Next(2, 25), 0), SlotBits.NopM, SlotBits.NopI);
        Call(_recursive);
    }

    private void JumpTo(int target, int qp) =>
        _code.Add(BundleWriter.Mib | 1, SlotBits.NopM, SlotBits.NopI, SlotBits.Branch(0, qp, target - _code.Count));

    // The next bundles lie on both sides of a page's end.
    private void AlignNearPageEnd()
    {
        int skip = 256 - (_code.Count & 255) - _random.Next(2, 12);
        if (skip <= 0)
            return;
        _code.Add(BundleWriter.Mib | 1, SlotBits.NopM, SlotBits.NopI, SlotBits.Branch(0, 0, skip));
        for (int n = 1; n < skip; n++)
            _code.Add(BundleWriter.Mii, SlotBits.NopM, SlotBits.NopI, SlotBits.NopI);
    }

    // ---- fragments ----

    private void Fragment()
    {
        switch (_random.Next(_system ? 17 : 7))
        {
            case 0 when _floating:
                Floats();
                Emit(Fragments.DoubleDivision);
                break;
            case 1 when _floating:
                Floats();
                Emit(Fragments.SquareRoot);
                break;
            case 2:
                Long(24, Constant());
                Long(25, Constant());
                Emit(Fragments.IntegerDivision);
                break;
            case 3 when _nats:
                Long(24, DataAddress() & ~15UL);
                Emit(Fragments.SpillAndFill);
                break;
            case 4 when _floating:
                StatusFields();
                break;
            case 5:
                UserMask();
                break;
            case 6:
                Frame();
                break;
            case 7:
                Emit(Fragments.CollectionOff);
                break;
            case 8:
                Long(24, Layout.Address(7, 0xF_0000));
                Long(25, Frame(0xF0) | Layout.Page);
                Emit(Fragments.TranslationRegister);
                break;
            case 9:
                Long(24, Layout.Address(_random.Next(1, 3), (ulong)_random.Next(0xE0) << 12));
                Emit(Fragments.Purges);
                break;
            case 10:
                Long(24, Layout.Data + (ulong)_random.Next(0x3_0000) / 8 * 8);
                Emit(Fragments.Physical);
                break;
            case 11:
                Emit(Fragments.Banks);
                break;
            case 12:
                Long(24, StretchPsr());
                Emit(Fragments.ReturnFromInterruption);
                break;
            case 13:
                ulong place = _random.Next(3) switch
                {
                    0 => Layout.Code,
                    var n => _code.AddressOf(_overPages + n - 1),
                };
                Long(24, place);
                Long(27, Layout.Address(Layout.BackingRegion, place));
                // Bits of the immediate of slot 0.
                Long(25, (ulong)_random.Next(1, 8) << (5 + 13));
                Emit(Fragments.ModifyCode);
                break;
            case 14:
                Emit(Fragments.Flush);
                break;
            case 15:
                Long(24, (ulong)(_random.Next(2) == 0 ? 6 : _random.Next(9, 12)) << 8 | (Chance(70) ? 12UL : 14UL) << 2);
                Long(25, Layout.Address(5, 0));
                // mov rr[r25]=r24
                _code.Add(BundleWriter.Mmi | 1, SlotBits.MovToRr(25, 24), SlotBits.NopM, SlotBits.NopI);
                _code.Add(BundleWriter.Mmi | 1, 1UL << 27 | 3UL << 31, SlotBits.NopM, SlotBits.NopI);
                break;
            default:
                // Deferral of speculative loads, not what an interruption begins with.
                Long(24, (ulong)_random.Next(128) << 8);
                _code.Add(BundleWriter.Mmi | 1, SlotBits.MovToCr(Cr.Dcr, 24), SlotBits.NopM, SlotBits.NopI);
                break;
        }
    }

    private void Emit(string source)
    {
        byte[] code = Assembly.Of(source);
        int bundles = source.Split('\n').Count(line => line.Contains('{', StringComparison.Ordinal));
        _code.AddRaw(code.AsSpan(0, bundles * 16));
    }

    // Doubles of all sizes in f6 and f7.
    private void Floats()
    {
        for (int f = 6; f < 8; f++)
        {
            Long(24, Float());
            _code.Add(BundleWriter.Mmi | 1, 6UL << 37 | 1UL << 27 | 0x1FUL << 30 | 24UL << 13 | (ulong)f << 6, SlotBits.NopM, SlotBits.NopI);
        }
    }

    private ulong Float() => _random.Next(12) switch
    {
        0 => 0,
        1 => 1UL << 63,
        2 => 0x7FF0_0000_0000_0000,
        3 => 0x7FF8_0000_0000_0001 | (ulong)_random.Next(2) << 63,
        4 => (ulong)_random.NextInt64(1L << 52),
        5 => BitConverter.DoubleToUInt64Bits(_random.Next(-100, 100)),
        6 => 0x7FE0_0000_0000_0000 | (ulong)_random.NextInt64(1L << 52),
        _ => (ulong)_random.NextInt64(0x3C0L, 0x440L) << 52 | (ulong)_random.NextInt64(1L << 52) | (ulong)_random.Next(2) << 63,
    };

    // A new FPSR: mostly without traps, all roundings and precisions.
    private void StatusFields()
    {
        ulong traps = Chance(80) ? 0x3FUL : (ulong)_random.Next(64);
        ulong fpsr = traps;
        for (int field = 0; field < 4; field++)
        {
            ulong precision = _random.Next(4) switch { 0 => 0UL, 1 => 2UL, _ => 3UL };
            ulong control = (ulong)_random.Next(2) * (Chance(20) ? 1UL : 0) | (ulong)(Chance(25) ? 1 : 0) << 1 | precision << 2 | (ulong)(Chance(70) ? 0 : _random.Next(4)) << 4;
            if (field != 0 && Chance(60))
                control |= 1 << 6;
            fpsr |= control << (6 + 13 * field);
        }

        Long(24, fpsr);
        _code.Add(BundleWriter.Mmi | 1, SlotBits.MovToArM(Ar.Fpsr, 24), SlotBits.NopM, SlotBits.NopI);
    }

    // Alignment checks, byte order, disabled registers, for a while.
    private void UserMask()
    {
        ulong bit = _random.Next(6) switch { 0 => Psr.Be, 1 => Psr.Up, 2 => Psr.Dfl, 3 => Psr.Dfh, 4 => Psr.I, _ => Psr.Ac };
        bool system = bit > 63;
        _code.Add(BundleWriter.Mmi | 1, SlotBits.Mask(system ? (bit == Psr.I ? 7 : 6) : 4, bit), SlotBits.NopM, SlotBits.NopI);
        Straight(_random.Next(1, 6));
        _code.Add(BundleWriter.Mmi | 1, SlotBits.Mask(system ? (bit == Psr.I ? 6 : 7) : 5, bit), SlotBits.NopM, SlotBits.NopI);
    }

    // cover and a new frame, or other sizes of this one; RSC.
    private void Frame()
    {
        if (_mix.InFunction || _mix.Counting || _guards > 0)
        {
            Straight(1);
            return;
        }

        int sof = _random.Next(Math.Max(8, _sor), 93);
        int sol = _random.Next(sof + 1);
        if (Chance(50))
        {
            _code.Add(BundleWriter.Mib | 1, SlotBits.MovToArImmediateM(Ar.Rsc, _random.Next(4) | 12), SlotBits.NopI, SlotBits.Cover);
            _sor = 8 * _random.Next(0, sof / 8 + 1) / 2 / 8 * 8;
        }
        else
        {
            _code.Add(BundleWriter.Mib | 1, SlotBits.NopM, SlotBits.NopI, SlotBits.Clrrrb);
        }

        _mix.FrameSize = sof;
        _code.Add(BundleWriter.Mii | 1, SlotBits.Alloc(_mix.Target() is var r && r < 32 + sof ? r : 13, sof, sol, _sor), SlotBits.NopI, SlotBits.NopI);
    }

    // ---- constants ----

    private void Long(int r, ulong value) => _code.Add(BundleWriter.Mlx | 1, SlotBits.NopM, SlotBits.MovlHigh(value), SlotBits.Movl(r, value));

    private void SetAddress(byte r)
    {
        ulong value = DataAddress();
        _code.Add(BundleWriter.Mlx | 1, _mix.Any('M'), SlotBits.MovlHigh(value), SlotBits.Movl(r, value));
    }

    // Aligned mostly, near page ends and across them often.
    private ulong DataAddress()
    {
        // Neighbouring pages, mostly few of them, so that what misses the TLB does not take most of the time.
        int region = Layout.DataRegions[_random.Next(4) == 0 ? _random.Next(Layout.DataRegions.Length) : 0];
        ulong page = (ulong)(_random.Next(6) == 0 ? _random.Next(0x40, 0x80) : _firstPage + _random.Next(6));
        ulong offset = _random.Next(10) switch
        {
            0 => 0xFFFUL - (ulong)(_random.Next(8) == 0 ? _random.Next(16) : 15),
            1 when _random.Next(3) == 0 => (ulong)_random.Next(0x1000),
            _ => (ulong)_random.Next(0x100) * 16,
        };
        return Layout.Address(region, page << 12 | offset);
    }

    // ---- data ----

    private static ulong Frame(int page) => Layout.Data | (ulong)(page * 7 & 0x3F) << 12;

    private ulong RandomTranslation(int page)
    {
        ulong frame = Frame(page) | Layout.Page;
        return _random.Next(100) switch
        {
            < 86 => frame,
            < 88 => frame & ~(7UL << 9),
            < 90 => 0,
            < 91 => frame & ~1UL,
            < 94 => frame & ~(1UL << (5 + _random.Next(2))),
            < 96 => _nats ? frame | 7UL << 2 : frame,
            < 98 => frame | 4UL << 2,
            _ => (frame & ~(0x1FUL << 7)) | 2UL << 9,
        };
    }

    private void WriteTables()
    {
        for (int region = 0; region < 8; region++)
        {
            for (int page = 0; page < 256; page++)
            {
                bool code = Layout.CodeRegions.Contains(region) && page is >= 0x20 and < 0x40;
                ulong identity = (ulong)page << 12;
                ulong pte = (region, code) switch
                {
                    (_, true) => identity | Layout.ReadOnly,
                    (Layout.BackingRegion, _) => page >= 0xA0 ? identity | Layout.Page : 0,
                    _ => RandomTranslation(page),
                };
                WriteWord(Layout.Tables + (ulong)(region << 8 | page) * 8, pte);
            }
        }

        // Regions 3 and 4 are one address space.
        _memory.AsSpan((int)Layout.Tables + 3 * 0x800, 0x800).CopyTo(_memory.AsSpan((int)Layout.Tables + 4 * 0x800));
        for (int page = 0; page < 4096; page++)
            WriteWord(Layout.Vhpt + (ulong)page * 8, RandomTranslation(page & 0xFF));
    }

    private void WriteData()
    {
        for (ulong address = Layout.Data; address < Layout.DataEnd; address += 8)
        {
            ulong value = ((address >> 6) & 7) switch
            {
                0 or 1 => Float(),
                2 => BitConverter.SingleToUInt32Bits((float)(_random.NextDouble() * 100)) | (ulong)BitConverter.SingleToUInt32Bits(_random.Next(1000)) << 32,
                3 => (ulong)_random.Next(1000),
                // 82-bit values as stf.spill leaves them.
                4 => (address & 8) == 0 ? (ulong)_random.NextInt64() | 1UL << 63 : (ulong)_random.Next(0xFC00, 0x1_0400),
                _ => (ulong)_random.NextInt64() * 2,
            };
            WriteWord(address, value);
        }
    }

    private void WriteStretches(List<int> entries)
    {
        WriteWord(Layout.OverPages, _code.AddressOf(_overPages));
        WriteWord(Layout.Period, (ulong)_random.Next(400, 4000));
        int count = Math.Min(2 * entries.Count, 60);
        WriteWord(Layout.StretchCount, (ulong)count);
        for (int n = 0; n < count; n++)
        {
            int region = Layout.CodeRegions[_random.Next(2) == 0 ? 0 : _random.Next(4)];
            ulong backing = (Chance(70) ? 0 : Layout.Address(Layout.BackingRegion, 0)) | (Layout.Backing + (ulong)_random.Next(0x1000) * 8);
            WriteWord(Layout.Stretches + (ulong)n * 32, Layout.Address(region, _code.AddressOf(entries[n % entries.Count])));
            WriteWord(Layout.Stretches + (ulong)n * 32 + 8, n == 0 ? Layout.Kernel : StretchPsr());
            WriteWord(Layout.Stretches + (ulong)n * 32 + 16, backing);
            WriteWord(Layout.Stretches + (ulong)n * 32 + 24, (ulong)_random.Next(4) | 3 << 2 | (Chance(5) ? 1UL << 4 : 0));
        }
    }

    private ulong StretchPsr()
    {
        ulong psr = Layout.Kernel;
        if (Chance(25))
            psr |= Psr.Cpl;
        if (Chance(15))
            psr |= Psr.Ac;
        if (Chance(8))
            psr |= Psr.Be;
        if (Chance(10))
            psr |= Chance(50) ? Psr.Dfl : Psr.Dfh;
        if (Chance(10))
            psr |= Psr.Up | Psr.Pp;
        if (Chance(2))
            psr |= Psr.Tb;
        if (Chance(4))
            psr |= Psr.Lp;
        if (Chance(3))
            psr |= Psr.Db;
        if (Chance(1))
            psr |= Psr.Ss;
        return psr;
    }

    private void WriteWord(ulong address, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(_memory.AsSpan((int)address), value);
}
